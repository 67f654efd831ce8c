"""Exchanges with services that are down, slow, endless or elsewhere."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from packetcrypt.client.http import (
    HttpLimits,
    PoolNonsense,
    PoolUnreachable,
    check_url,
    get,
    post,
)
from packetcrypt.protocol.errors import ConfigError

LIMITS = HttpLimits(body_size=1000, seconds=20)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def sized(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * int(request.match_info["size"]))

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    async def silent(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/sized/3")

    async def circle(request: web.Request) -> web.Response:
        raise web.HTTPFound("/circle")

    app = web.Application()
    app.router.add_get("/sized/{size}", sized)
    app.router.add_get("/endless", endless)
    app.router.add_get("/silent", silent)
    app.router.add_route("*", "/moved", moved)
    app.router.add_get("/circle", circle)
    async with TestServer(app, shutdown_timeout=0) as server:
        yield server


@pytest.mark.parametrize(
    "url",
    [
        "http://pool.example",
        "https://pool.example/master/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/x",
    ],
)
def test_urls_of_services(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pool.example",
        "pool.example:8080",
        "ftp://pool.example",
        "http://",
        "http:///master",
        "http://pool.example:99999",
        "http://[::1",
        "http://a..b/",
        "/etc/passwd",
    ],
)
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ConfigError, match="is not the URL of a service: give a URL that begins"):
        check_url(url)


async def test_a_body_of_exactly_the_limit_is_read(
    session: aiohttp.ClientSession, server: TestServer
) -> None:
    answer = await get(session, str(server.make_url("/sized/1000")), LIMITS)
    assert (answer.status, len(answer.body)) == (200, 1000)


@pytest.mark.parametrize("path", ["/sized/1001", "/endless"])
async def test_a_longer_body_is_nonsense(
    session: aiohttp.ClientSession, server: TestServer, path: str
) -> None:
    with pytest.raises(PoolNonsense, match="answered more than 1000 bytes"):
        await get(session, str(server.make_url(path)), LIMITS)


async def test_silence_is_unreachable(session: aiohttp.ClientSession, server: TestServer) -> None:
    with pytest.raises(PoolUnreachable, match=r"GET .*/silent was not answered within 0\.05 s"):
        await get(session, str(server.make_url("/silent")), HttpLimits(1000, 0.05))


async def test_a_closed_port_is_unreachable(
    session: aiohttp.ClientSession, server: TestServer
) -> None:
    url = str(server.make_url("/sized/1"))
    await server.close()
    with pytest.raises(PoolUnreachable, match=r"GET http://127.* failed: .*The service is down"):
        await get(session, url, LIMITS)


async def test_something_that_does_not_speak_http_is_unreachable(
    session: aiohttp.ClientSession,
) -> None:
    async def banner(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    server = await asyncio.start_server(banner, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(PoolUnreachable, match="failed"):
            await get(session, f"http://127.0.0.1:{port}/", LIMITS)


@pytest.mark.parametrize("url", ["http://a..b/", "http://%zz/", "http://xn--a/", "no url"])
async def test_an_impossible_url_is_an_error_of_the_pool(
    session: aiohttp.ClientSession, url: str
) -> None:
    with pytest.raises((PoolNonsense, PoolUnreachable)):
        await get(session, url, LIMITS)


async def test_a_get_follows_redirections(
    session: aiohttp.ClientSession, server: TestServer
) -> None:
    assert (await get(session, str(server.make_url("/moved")), LIMITS)).body == b"xxx"


async def test_a_circle_of_redirections_is_nonsense(
    session: aiohttp.ClientSession, server: TestServer
) -> None:
    with pytest.raises(PoolNonsense, match="leads nowhere"):
        await get(session, str(server.make_url("/circle")), LIMITS)


async def test_a_post_does_not_follow_redirections(
    session: aiohttp.ClientSession, server: TestServer
) -> None:
    answer = await post(session, str(server.make_url("/moved")), b"body", LIMITS)
    assert answer.status == 302
