"""Downloads follow the handlers that a pool names, over real HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from block_miner_parts import Announcements, made_announcements

from packetcrypt.client.complaints import Complaints
from packetcrypt.miner.pool_downloads import PoolDownloads

CONTENTS = made_announcements(10, 5).tobytes()


@pytest.fixture
async def handler() -> AsyncIterator[str]:
    """URL of one that has a single file."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("index.json"):
            return web.json_response({"highestAnnFile": 1, "files": ["anns_5_0_1.bin"]})
        return web.Response(body=CONTENTS)

    application = web.Application()
    application.router.add_get("/anns/{name}", answer)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def downloading() -> AsyncIterator[tuple[PoolDownloads, list[str]]]:
    """The downloads, running, and the URL for each piece that was taken."""
    sources: list[str] = []

    async def take(url: str, _: Announcements) -> None:
        sources.append(url)

    async with aiohttp.ClientSession() as session:
        complaints = Complaints(logging.getLogger(__name__))
        downloads = PoolDownloads(session, "", 4, lambda _: True, take, complaints, 0.02)
        task = asyncio.create_task(downloads.run())
        try:
            yield downloads, sources
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a server
            await asyncio.sleep(0.005)


async def test_what_a_handler_gave_before_it_went_is_counted_on(handler: str) -> None:
    async with downloading() as (downloads, sources):
        for times in (1, 2, 3):
            downloads.set_handlers((handler,))
            await until(lambda times=times: len(sources) == times)
            downloads.set_handlers(())
            await asyncio.sleep(0.05)
            assert downloads.received_bytes == {handler: times * len(CONTENTS)}
    assert set(sources) == {handler}


async def test_a_handler_named_twice_is_asked_once(handler: str) -> None:
    async with downloading() as (downloads, sources):
        downloads.set_handlers((handler, handler))
        await until(lambda: bool(sources))
        await asyncio.sleep(0.1)
        assert downloads.urls == (handler,)
    assert sources == [handler]


async def test_a_url_that_is_none_does_not_hinder_others(
    handler: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with downloading() as (downloads, sources):
        downloads.set_handlers(("nonsense", handler))
        await until(lambda: bool(sources))
        assert downloads.urls == ("nonsense", handler)
    assert "the pool's downloadAnnUrls: 'nonsense' is not the URL" in caplog.text
