"""Counters of handlers are added up, whatever becomes of the handlers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from packetcrypt.pool.devnet_counts import SHARES, HandlerCounts
from packetcrypt.pool.devnet_summary import WorkCounts


class Handler:
    """Answers /metrics like a handler that has taken and refused so many."""

    def __init__(self) -> None:
        self.accepted, self.stale, self.invalid = 0, 0, 0
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        port = int(self.url.rpartition(":")[2] or 0)
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(
            text=f"# TYPE {SHARES} counter\n"
            f'{SHARES}{{result="accepted"}} {self.accepted}.0\n'
            f'{SHARES}{{result="stale"}} {self.stale}.0\n'
            f'{SHARES}{{result="invalid"}} {self.invalid}.0\n'
            'packetcrypt_bh_another_total{result="accepted"} 7.0\n'
        )


@pytest.fixture
async def handlers() -> AsyncIterator[list[Handler]]:
    async with AsyncExitStack() as stack:
        handlers = [Handler(), Handler()]
        for handler in handlers:
            await handler.start()
            stack.push_async_callback(handler.stop)
        yield handlers


@pytest.fixture
async def counts(handlers: list[Handler]) -> AsyncIterator[HandlerCounts]:
    async with aiohttp.ClientSession() as session:
        yield HandlerCounts(session, [handler.url for handler in handlers], SHARES)


async def test_of_all_handlers(handlers: list[Handler], counts: HandlerCounts) -> None:
    handlers[0].accepted, handlers[0].stale = 10, 1
    handlers[1].accepted, handlers[1].invalid = 5, 2
    await counts.look()
    await counts.look()
    assert counts.total == WorkCounts(15, 3)


async def test_before_the_first_look(counts: HandlerCounts) -> None:
    assert counts.total == WorkCounts(0, 0)


async def test_what_was_counted_before_a_restart_is_kept(
    handlers: list[Handler], counts: HandlerCounts
) -> None:
    for accepted, total in ((10, 10), (4, 14), (6, 16), (1, 17)):
        handlers[0].accepted = accepted
        await counts.look()
        assert counts.total == WorkCounts(total, 0)


async def test_one_that_is_down_stays_as_it_was(
    handlers: list[Handler], counts: HandlerCounts
) -> None:
    handlers[0].accepted = handlers[1].accepted = 10
    await counts.look()
    await handlers[0].stop()
    handlers[1].accepted = 11
    await counts.look()
    assert counts.total == WorkCounts(21, 0)
    await handlers[0].start()
    await counts.look()
    assert counts.total == WorkCounts(21, 0)
