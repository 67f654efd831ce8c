"""How a block miner hangs together and ends, with stand-ins for engine, checker and pool.

Whole miners are in tests/end_to_end.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from block_miner_parts import Announcements, ByteChecker, SetStore, made_announcements, made_share
from command_line import PAYMENT_ADDRESS
from scripted_pool import ScriptedPool, made_up_block

from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_statistics import BlockEngineStatistics, StoreStatistics
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.miner.announcement_intake import NothingChecks
from packetcrypt.miner.block_miner import BlockMiner, BlockMinerTiming
from packetcrypt.miner.block_settings import BlockMinerSettings
from packetcrypt.protocol.block_proof import BlockProof
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.work_file import BlockWork

TIP = 200_000


class IdleEngine(SetStore):
    """Finds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.works: list[BlockWork] = []
        self.asked = threading.Event()
        self.paused = False

    def start(self, work: BlockWork) -> None:
        self.works.append(work)

    def pause(self) -> None:
        self.paused = True

    def get(self, timeout: float | None = None) -> FoundShare | None:
        self.asked.set()
        threading.Event().wait(timeout)
        return None

    def statistics(self) -> BlockEngineStatistics:
        return BlockEngineStatistics((), StoreStatistics(0, 0, {}), None)


class InexhaustibleEngine(IdleEngine):
    """Has a share whenever it is asked, also after the miner stopped."""

    def get(self, timeout: float | None = None) -> FoundShare | None:
        self.asked.set()
        return made_share()


class OneShareEngine(IdleEngine):
    """Finds one share as soon as there is work, of announcements with the parent TIP.

    It is none that a pool would take: its commitment is empty.
    """

    def get(self, timeout: float | None = None) -> FoundShare | None:
        if not self.works or self.asked.is_set():
            return super().get(timeout) if self.works else None
        self.asked.set()
        made = made_share()
        rows = [row.tobytes() for row in made_announcements(4, TIP)]
        proof = BlockProof(0, (rows[0], rows[1], rows[2], rows[3]), b"")
        header = self.works[0].header.encode()
        return replace(made, work=self.works[0], header=header, proof=proof)


class LateEngine(OneShareEngine):
    """Finds one share, too: for the block before that of the work."""

    def get(self, timeout: float | None = None) -> FoundShare | None:
        share = super().get(timeout)
        return None if share is None else replace(share, work=made_share().work)


class SilentChecker(ByteChecker):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def submit(
        self, announcements: Announcements, parent_hashes: Announcements
    ) -> Future[CheckedAnnouncements]:
        self.asked.set()
        return Future()


class EndedChecker(ByteChecker):
    """Has no device any more."""

    def submit(
        self, announcements: Announcements, parent_hashes: Announcements
    ) -> Future[CheckedAnnouncements]:
        raise DeviceError("device 0:0 burnt down.")


@dataclass
class Handler:
    """Announcements of one file a number for block miners, and a place for shares.

    never_ends : files are begun, and never go on
    """

    files: dict[str, Announcements] = field(default_factory=dict)
    never_ends: bool = False
    begun: int = 0
    shares: list[bytes] = field(default_factory=list)

    def server(self) -> TestServer:
        application = web.Application()
        application.router.add_get("/anns/index.json", self._index)
        application.router.add_get("/anns/{name}", self._file)
        application.router.add_post("/submit", self._submit)
        return TestServer(application, handler_cancellation=True, shutdown_timeout=0.1)

    async def _index(self, _: web.Request) -> web.Response:
        return web.json_response({"highestAnnFile": 1, "files": list(self.files)})

    async def _file(self, request: web.Request) -> web.Response:
        self.begun += 1
        if self.never_ends:
            await asyncio.sleep(3600)
        return web.Response(body=self.files[request.match_info["name"]].tobytes())

    async def _submit(self, request: web.Request) -> web.Response:
        self.shares.append(await request.read())
        return web.Response(status=400, body=b'{"warn":[],"error":["no"],"result":""}')


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    pool = ScriptedPool()
    work = made_share(previous_hash=pool.chain[-1].hash).work
    pool.work = replace(work, height=TIP + 1)
    async with pool:
        yield pool


def add_block(pool: ScriptedPool, label: str = "main") -> None:
    """A new tip, and work for the block after it."""
    pool.chain.append(made_up_block(label, pool.chain[-1].height + 1, pool.chain[-1]))
    work = made_share(previous_hash=pool.chain[-1].hash).work
    pool.work = replace(work, height=pool.chain[-1].height + 1)


def with_handlers(pool: ScriptedPool, *servers: TestServer) -> None:
    """Let the pool name these as its announcement handlers, and the first as a block handler."""
    urls = tuple(str(server.make_url("")).rstrip("/") for server in servers)
    pool.config_edit = lambda config: replace(
        config, download_ann_urls=urls, submit_block_urls=(urls[0] + "/submit",)
    )


def settings(url: str, downloaders: int = 30) -> BlockMinerSettings:
    return BlockMinerSettings(pool=url, payment_addr=PAYMENT_ADDRESS, downloaders=downloaders)


async def until(event: threading.Event) -> None:
    async with asyncio.timeout(60):
        await asyncio.to_thread(event.wait, 60)


async def test_stopping_does_not_wait_for_all_that_was_found() -> None:
    engine = InexhaustibleEngine()
    miner = BlockMiner(settings("http://127.0.0.1:9"), engine, ByteChecker())
    running = asyncio.create_task(miner.run())
    await until(engine.asked)
    miner.stop()
    async with asyncio.timeout(60):
        await running
    assert engine.paused


def test_stopping_takes_less_than_three_seconds_by_design() -> None:
    timing, engine_close = BlockMinerTiming(), 1.0
    assert timing.take + timing.drain + timing.flush + engine_close < 3.0


async def test_a_share_that_is_being_checked_is_sent_when_the_miner_stops(
    pool: ScriptedPool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    handler, checker = Handler(), SilentChecker()
    async with handler.server() as server:
        with_handlers(pool, server)
        miner = BlockMiner(settings(pool.url), OneShareEngine(), checker)
        running = asyncio.create_task(miner.run())
        await until(checker.asked)
        miner.stop()
        async with asyncio.timeout(60):
            await running
    assert len(handler.shares) == 1
    assert "shr: 0/1/0 " in caplog.records[-1].getMessage()


async def test_a_share_that_the_pool_would_refuse_is_not_sent(
    pool: ScriptedPool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    handler, engine = Handler(), OneShareEngine()
    async with handler.server() as server:
        with_handlers(pool, server)
        miner = BlockMiner(settings(pool.url), engine, ByteChecker())
        running = asyncio.create_task(miner.run())
        async with asyncio.timeout(60):
            while "is not sent" not in caplog.text:  # noqa: ASYNC110 - a log cannot be awaited
                await asyncio.sleep(0.01)
        miner.stop()
        await running
    assert "a share is not sent because the pool would refuse it: BAD_COINBASE" in caplog.text
    assert handler.shares == []
    assert "shr: 0/0/1 " in caplog.records[-1].getMessage()


async def test_a_share_of_work_that_was_replaced_is_not_sent(
    pool: ScriptedPool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    handler, checker, engine = Handler(), SilentChecker(), OneShareEngine()
    async with handler.server() as server:
        with_handlers(pool, server)
        timing = BlockMinerTiming(poll=0.02)
        miner = BlockMiner(settings(pool.url), engine, checker, timing=timing)
        running = asyncio.create_task(miner.run())
        await until(checker.asked)
        add_block(pool)
        async with asyncio.timeout(60):
            while len(engine.works) < 2:  # noqa: ASYNC110 - it comes over HTTP
                await asyncio.sleep(0.01)
        miner.stop()
        await running
    assert handler.shares == []
    assert "shr: 0/0/1 " in caplog.records[-1].getMessage()


async def test_announcements_of_a_block_that_was_replaced_are_forgotten(pool: ScriptedPool) -> None:
    engine = IdleEngine()
    timing = BlockMinerTiming(poll=0.02)
    miner = BlockMiner(settings(pool.url), engine, ByteChecker(), timing=timing)
    running = asyncio.create_task(miner.run())
    async with asyncio.timeout(60):
        while not engine.works:  # noqa: ASYNC110 - it comes over HTTP
            await asyncio.sleep(0.01)
        pool.chain.pop()
        add_block(pool, "other")
        while len(engine.works) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    miner.stop()
    await running
    assert engine.forgotten == [TIP]


async def test_a_handler_that_never_ends_a_file_leaves_downloads_for_others(
    pool: ScriptedPool,
) -> None:
    files = {f"anns_{TIP}_0_{n}.bin": made_announcements(1, TIP, seed=n) for n in range(10)}
    slow, quick, engine = Handler(files, never_ends=True), Handler(files), IdleEngine()
    async with slow.server() as first, quick.server() as second:
        with_handlers(pool, first, second)
        miner = BlockMiner(settings(pool.url, downloaders=4), engine, ByteChecker())
        running = asyncio.create_task(miner.run())
        async with asyncio.timeout(60):
            while len(engine.rows) < 10:  # noqa: ASYNC110 - they come over HTTP
                await asyncio.sleep(0.01)
        miner.stop()
        await running
    assert slow.begun == 2


async def test_a_miner_that_can_check_nothing_ends(pool: ScriptedPool) -> None:
    handler = Handler({f"anns_{TIP}_0_1.bin": made_announcements(3, TIP)})
    async with handler.server() as server:
        with_handlers(pool, server)
        miner = BlockMiner(settings(pool.url), IdleEngine(), EndedChecker())
        with pytest.raises(NothingChecks, match="burnt down"):
            async with asyncio.timeout(60):
                await miner.run()


async def test_a_share_of_older_work_is_lost_unchecked(
    pool: ScriptedPool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine, checker = LateEngine(), SilentChecker()
    miner = BlockMiner(settings(pool.url), engine, checker)
    running = asyncio.create_task(miner.run())
    await until(engine.asked)
    miner.stop()
    async with asyncio.timeout(60):
        await running
    assert not checker.asked.is_set()
    assert "shr: 0/0/1 " in caplog.text
