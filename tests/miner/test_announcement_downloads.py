"""Every file of a handler is fetched once, over real HTTP, whatever happens on the way."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
import numpy as np
import numpy.typing as npt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from packetcrypt.client.announcement_files import AnnouncementFilesClient
from packetcrypt.client.complaints import Complaints
from packetcrypt.miner.announcement_downloads import HandlerDownloads


def contents(number: int, count: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 256, (count, 1024), np.uint8)


@dataclass
class Handler:
    """Offers `files` (name to contents); breaks the first `breaks` downloads off after 1 MiB.

    asked : names of the files in the order in which they were asked for
    """

    files: dict[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    breaks: int = 0
    status: int = 200
    requests: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def index(self, _: web.Request) -> web.Response:
        self.requests["index"] += 1
        if self.status != 200:
            return web.Response(status=self.status)
        return web.json_response({"highestAnnFile": 9, "files": list(self.files)})

    async def file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.requests[name] += 1
        self.asked.append(name)
        body = self.files[name].tobytes()
        start = request.http_range.start or 0
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0.01)
            if not self.breaks:
                return web.Response(body=body[start:], status=206 if start else 200)
            self.breaks -= 1
            response = web.StreamResponse(headers={"Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[: 1 << 20])
            assert request.transport is not None
            request.transport.close()
            return response
        finally:
            self.at_once -= 1


@asynccontextmanager
async def downloading(
    handler: Handler,
    wanted: Callable[[int], bool] = lambda _: True,
    slots: int = 30,
    at_once: int = 30,
    interval: float = 0.02,
) -> AsyncIterator[tuple[HandlerDownloads, list[bytes]]]:
    """The downloads, running, and the announcements taken."""
    application = web.Application()
    application.router.add_get("/anns/index.json", handler.index)
    application.router.add_get("/anns/{name}", handler.file)
    taken: list[bytes] = []

    async def take(announcements: npt.NDArray[np.uint8]) -> None:
        taken.extend(row.tobytes() for row in announcements)

    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        client = AnnouncementFilesClient(session, str(server.make_url("/")), "")
        complaints = Complaints(logging.getLogger(__name__))
        downloads = HandlerDownloads(
            client, wanted, take, asyncio.Semaphore(slots), complaints, interval
        )
        downloads.allow(at_once)
        task = asyncio.create_task(downloads.run())
        try:
            yield downloads, taken
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a server
            await asyncio.sleep(0.005)


def rows(*files: npt.NDArray[np.uint8]) -> list[bytes]:
    return sorted(row.tobytes() for file in files for row in file)


async def test_files_are_fetched_once_as_they_appear() -> None:
    first, second = contents(1, 40), contents(2, 7)
    handler = Handler({"anns_5_0_1.bin": first})
    async with downloading(handler) as (downloads, taken):
        await until(lambda: len(taken) == 40)
        handler.files["anns_6_0_2.bin"] = second
        await until(lambda: len(taken) == 47)
        looked = handler.requests["index"]
        await until(lambda: handler.requests["index"] > looked + 2)
        assert downloads.received_bytes == 47 * 1024
    assert sorted(taken) == rows(first, second)
    assert (handler.requests["anns_5_0_1.bin"], handler.requests["anns_6_0_2.bin"]) == (1, 1)


async def test_a_download_that_breaks_off_is_resumed() -> None:
    file = contents(3, 3000)
    handler = Handler({"anns_5_0_1.bin": file}, breaks=1)
    async with downloading(handler) as (_, taken):
        await until(lambda: len(taken) >= 3000)
    assert sorted(taken) == rows(file)
    assert handler.requests["anns_5_0_1.bin"] == 2


async def test_what_cannot_be_used_yet_is_fetched_later() -> None:
    wanted = {5}
    handler = Handler({"anns_5_0_1.bin": contents(1, 3), "anns_6_0_2.bin": contents(2, 4)})
    async with downloading(handler, lambda height: height in wanted) as (_, taken):
        await until(lambda: len(taken) == 3)
        looked = handler.requests["index"]
        await until(lambda: handler.requests["index"] > looked + 1)
        assert handler.requests["anns_6_0_2.bin"] == 0
        wanted.add(6)
        await until(lambda: len(taken) == 7)


async def test_no_more_at_once_than_slots() -> None:
    handler = Handler({f"anns_5_0_{n}.bin": contents(n, 1) for n in range(1, 9)})
    async with downloading(handler, slots=2) as (_, taken):
        await until(lambda: len(taken) == 8)
    assert handler.most_at_once <= 2


async def test_no_more_at_once_than_the_handler_is_allowed() -> None:
    handler = Handler({f"anns_5_0_{n}.bin": contents(n, 1) for n in range(1, 9)})
    async with downloading(handler, at_once=3, interval=3600.0) as (_, taken):
        await until(lambda: len(taken) == 8)
    assert handler.most_at_once <= 3


async def test_the_newest_file_is_always_next() -> None:
    handler = Handler({f"anns_5_0_{n}.bin": contents(n, 1) for n in range(1, 6)})
    async with downloading(handler, at_once=1, interval=3600.0) as (_, taken):
        await until(lambda: len(taken) == 5)
    assert handler.asked == [f"anns_5_0_{n}.bin" for n in (5, 4, 3, 2, 1)]


async def test_a_file_that_fails_waits_for_the_next_look() -> None:
    handler = Handler({"anns_5_0_1.bin": contents(1, 3000)}, breaks=1000)
    async with downloading(handler, interval=3600.0):
        await until(lambda: bool(handler.asked))
        await asyncio.sleep(0.2)
        assert handler.requests == {"index": 1, "anns_5_0_1.bin": 1}


async def test_a_handler_without_files_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    handler = Handler({"anns_5_0_1.bin": contents(1, 3)}, status=404)
    async with downloading(handler) as (_, taken):
        await until(lambda: handler.requests["index"] > 2)
        handler.status = 200
        await until(lambda: len(taken) == 3)
    assert [record.getMessage() for record in caplog.records if "404" in record.getMessage()]


async def test_a_broken_file_is_left_after_one_try(caplog: pytest.LogCaptureFixture) -> None:
    torn = np.zeros((1, 1000), np.uint8)
    handler = Handler({"anns_5_0_1.bin": torn, "anns_5_0_2.bin": contents(2, 7)})
    async with downloading(handler) as (_, taken):
        await until(lambda: len(taken) == 7)
        looked = handler.requests["index"]
        await until(lambda: handler.requests["index"] > looked + 2)
    assert handler.requests["anns_5_0_1.bin"] == 1
    assert "ends within an announcement" in caplog.text
