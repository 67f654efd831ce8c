"""What a block miner gets of a handler's announcement files, over real HTTP."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import numpy.typing as npt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from packetcrypt.client.announcement_files import (
    PIECE_ANNOUNCEMENTS,
    AnnouncementFile,
    AnnouncementFilesClient,
    PasswordRefused,
)
from packetcrypt.client.http import PoolNonsense, PoolNotReady, PoolUnreachable
from packetcrypt.protocol.errors import ConfigError, DecodeError

NAME = "anns_1000003_0_7.bin"
FILE = AnnouncementFile.parse(NAME)
CONTENTS = np.random.default_rng(1).integers(0, 256, (2500, 1024), np.uint8)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def handler(
    answer: Answer, password: str = "", path: str = "/anns"
) -> AsyncIterator[AnnouncementFilesClient]:
    """A client of a handler whose every GET gets `answer`."""
    application = web.Application()
    application.router.add_get("/{rest:.*}", answer)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        yield AnnouncementFilesClient(session, str(server.make_url(path)), password)


async def collect(client: AnnouncementFilesClient, first: int = 0) -> list[npt.NDArray[np.uint8]]:
    return [piece async for piece in client.download(FILE, first)]


def test_a_name_says_height_and_number() -> None:
    assert AnnouncementFile(7, 1000003, NAME) == FILE


@pytest.mark.parametrize(
    "name",
    [
        "",
        "anns_1_2.bin",
        "anns_1_2_3.bin/../../secret",
        "../anns_1_2_3.bin",
        "anns_1_2_3.bin?x=1",
        "anns_-1_2_3.bin",
        "anns_9999999999_2_3.bin",
        "anns_１_2_3.bin",
        "x" * 1000,
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(DecodeError, match="not the name of an announcement file"):
        AnnouncementFile.parse(name)


def test_a_url_that_is_none_is_refused() -> None:
    session = None
    with pytest.raises(ConfigError):
        AnnouncementFilesClient(session, "handler", "")  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["", "/anns", "/anns/"])
async def test_the_index_newest_first(path: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/anns/index.json"
        assert "Authorization" not in request.headers
        names = ["anns_5_0_2.bin", NAME, "anns_4_1_1.bin"]
        return web.json_response({"highestAnnFile": 7, "files": names})

    async with handler(answer, path=path) as client:
        assert [file.number for file in await client.index()] == [7, 2, 1]


async def test_the_password_is_sent_with_every_request() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Basic eDpzZXNhbWU="  # x:sesame
        if request.path.endswith(".json"):
            return web.json_response({"highestAnnFile": 0, "files": []})
        return web.Response(body=b"")

    async with handler(answer, password="sesame") as client:
        assert await client.index() == ()
        assert await collect(client) == []


async def test_a_file_comes_in_pieces() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == f"/anns/{NAME}"
        return web.Response(body=CONTENTS.tobytes())

    async with handler(answer) as client:
        pieces = await collect(client)
    assert all(len(piece) >= PIECE_ANNOUNCEMENTS for piece in pieces[:-1])
    assert np.array_equal(np.concatenate(pieces), CONTENTS)


@pytest.mark.parametrize("first", [1, 2499, 2500])
async def test_a_download_goes_on_where_it_ended(tmp_path: Path, first: int) -> None:
    path = tmp_path / NAME
    path.write_bytes(CONTENTS.tobytes())

    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async with handler(answer) as client:
        pieces = await collect(client, first)
    rest = np.concatenate([CONTENTS[:0], *pieces])
    assert np.array_equal(rest, CONTENTS[first:])


async def test_a_download_that_breaks_off_keeps_what_came() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(CONTENTS.nbytes)})
        await response.prepare(request)
        await response.write(CONTENTS[:PIECE_ANNOUNCEMENTS].tobytes())
        assert request.transport is not None
        request.transport.close()
        return response

    pieces = []

    async def take(client: AnnouncementFilesClient) -> None:
        async for piece in client.download(FILE):
            pieces.append(piece)

    async with handler(answer) as client:
        with pytest.raises(PoolUnreachable, match=NAME):
            await take(client)
    assert np.array_equal(np.concatenate(pieces), CONTENTS[:PIECE_ANNOUNCEMENTS])


async def test_a_resumed_download_that_starts_over_is_not_believed() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=CONTENTS.tobytes())  # ignores the Range

    async with handler(answer) as client:
        with pytest.raises(PoolNonsense, match="answered 200, where a handler answers 206"):
            await collect(client, first=5)


async def test_a_torn_announcement_is_nonsense() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=CONTENTS.tobytes()[:-1])

    async with handler(answer) as client:
        with pytest.raises(PoolNonsense, match="within an announcement"):
            await collect(client)


@pytest.mark.parametrize("first", [0, 1000])
async def test_a_file_without_end_is_nonsense(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    monkeypatch.setattr("packetcrypt.client.announcement_files._FILE_BYTES", 2000 * 1024)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=206 if first else 200)
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 16))

    async with handler(answer) as client:
        with pytest.raises(PoolNonsense, match="sends more than 2048000 bytes"):
            await collect(client, first)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, PasswordRefused),
        (403, PasswordRefused),
        (404, PoolNonsense),
        (500, PoolNotReady),
        (503, PoolNotReady),
    ],
)
async def test_refusals(status: int, error: type[Exception]) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with handler(answer) as client:
        with pytest.raises(error, match=f"answered {status}"):
            await client.index()
        with pytest.raises(error, match=f"answered {status}"):
            await collect(client)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"files": [1]}', json.dumps({"files": ["../x"]}).encode()]
)
async def test_an_index_that_is_none(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    async with handler(answer) as client:
        with pytest.raises(PoolNonsense, match="no index of announcements"):
            await client.index()
