"""Mining for pools end to end: a real miner, real HTTP, scripted pools and finds."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from log_watch import LogWatch
from replay_engine import ReplayEngine
from scripted_pool import ReceivedPost, ScriptedPool, keyed, made_up_block

from packetcrypt.client.http import PoolNonsense
from packetcrypt.miner.announcement_miner import AnnouncementMiner, MinerTiming
from packetcrypt.miner.log_line import format_report
from packetcrypt.miner.settings import AnnouncementMinerSettings
from packetcrypt.miner.shutdown import run_until_signalled
from packetcrypt.protocol.address import WitnessProgram, format_address
from packetcrypt.protocol.errors import DeviceError

ADDRESS = format_address(WitnessProgram(0, bytes(20)))
FAST = MinerTiming(poll=0.02, report=0.05, take=0.01, drain=0.01, flush=20.0)


class Clock:
    """A monotonic clock that goes only when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine() -> ReplayEngine:
    return ReplayEngine()


@pytest.fixture
def log() -> AsyncIterator[LogWatch]:
    watch = LogWatch()
    logger = logging.getLogger("packetcrypt.miner")
    logger.setLevel(logging.INFO)
    logger.addHandler(watch)
    yield watch
    logger.removeHandler(watch)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
async def first() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool() as pool:
        yield pool


@pytest.fixture
async def second() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool() as pool:
        yield pool


def settings_for(*pools: ScriptedPool, **changes: Any) -> AnnouncementMinerSettings:
    return AnnouncementMinerSettings(
        payment_addr=ADDRESS, pools=tuple(pool.url for pool in pools), **changes
    )


@asynccontextmanager
async def running(miner: AnnouncementMiner) -> AsyncIterator[asyncio.Task[None]]:
    """Runs the miner; stops it at the end and waits for it."""
    task = asyncio.create_task(miner.run())
    try:
        yield task
    finally:
        miner.stop()
        await task


@pytest.fixture
def mining(engine: ReplayEngine, clock: Clock) -> Any:
    def start(
        *pools: ScriptedPool, timing: MinerTiming = FAST, **changes: Any
    ) -> AbstractAsyncContextManager[AnnouncementMiner]:
        @asynccontextmanager
        async def mine() -> AsyncIterator[AnnouncementMiner]:
            miner = AnnouncementMiner(
                settings_for(*pools, **changes), engine, timing=timing, clock=clock
            )
            async with running(miner):
                await engine.wait_for_work(lambda _: True)
                yield miner

        return mine()

    return start


async def until(log: LogWatch, condition: Callable[[], bool]) -> None:
    """Returns at the first log line at which the condition holds."""
    while not condition():
        await log.wait_for(lambda message: "Ke/s" in message)


async def never(_: ReceivedPost) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_what_is_found_reaches_the_handlers_of_its_keys(
    mining: Any, engine: ReplayEngine, first: ScriptedPool
) -> None:
    first.handlers = 2
    async with mining(first) as miner:
        keys = engine.find(3000)
    assert first.accepted_keys == keys
    assert all(key % 2 == post.handler for post in first.posts for key in post.keys)
    assert {post.headers.work_number for post in first.posts} == {200_001}
    assert {post.headers.pay_to for post in first.posts} == {ADDRESS}
    assert miner.totals().pools[0].counts.accepted == 3000
    assert miner.totals().found.announcements == 3000


async def test_a_part_of_a_batch_is_sent_after_ten_seconds(
    mining: Any, engine: ReplayEngine, clock: Clock, first: ScriptedPool
) -> None:
    async with mining(first):
        keys = engine.find(5)
        later = engine.find(1024)
        await first.wait_for_posts(lambda posts: len(posts) == 1)
        assert first.posts[0].count == 1024
        clock.now += 10
        await first.wait_for_posts(lambda posts: len(posts) == 2)
    assert first.accepted_keys == keys | later


async def test_a_new_block_is_new_work(
    mining: Any, engine: ReplayEngine, first: ScriptedPool
) -> None:
    async with mining(first):
        engine.find(3)
        tip = made_up_block("main", 200_001, first.chain[-1])
        first.chain.append(tip)
        work = await engine.wait_for_work(lambda work: work.parent_height == 200_001)
        engine.find(3)
    assert work.parent_hash == tip.hash
    assert sorted(post.headers.work_number for post in first.posts) == [200_001, 200_002]


async def test_a_rollback_is_new_work(
    mining: Any, engine: ReplayEngine, first: ScriptedPool
) -> None:
    async with mining(first):
        fork = made_up_block("fork", 200_000, first.chain[-2])
        first.chain[-1] = fork
        await engine.wait_for_work(lambda work: work.parent_hash == fork.hash)


async def test_the_same_work_is_not_started_again(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, log: LogWatch
) -> None:
    async with mining(first):
        for _ in range(3):
            await log.wait_for(lambda message: "Ke/s" in message)
    assert len(first.requests) > 7
    assert len(engine.works) == 1


async def test_the_first_pool_decides_target_parent_and_key(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, second: ScriptedPool
) -> None:
    key = bytes(range(32))
    first.chain = keyed(first.chain, key)
    first.ann_target, second.ann_target = 0x2001FFFF, 0x2002FFFF
    first.mine_old_anns, second.mine_old_anns = 1, 2
    async with mining(first, second):
        work = await engine.wait_for_work(lambda _: True)
    assert (work.work_bits, work.parent_height, work.signing_key) == (0x2001FFFF, 199_999, key)


async def test_the_miner_may_choose_older_blocks(
    mining: Any, engine: ReplayEngine, first: ScriptedPool
) -> None:
    async with mining(first, mine_old_anns=3):
        await engine.wait_for_work(lambda work: work.parent_height == 199_997)


async def test_every_pool_gets_every_announcement(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, second: ScriptedPool
) -> None:
    async with mining(first, second):
        engine.find(1024)
        await second.wait_for_posts(bool)
    assert first.accepted_keys == second.accepted_keys


async def test_a_dead_pool_reads_0_percent_and_the_other_loses_nothing(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, second: ScriptedPool
) -> None:
    await second.stop()
    async with mining(first, second) as miner:
        for _ in range(5):
            engine.find(1024)
        await first.wait_for_posts(lambda posts: len(posts) == 5)
    assert first.posts
    line = format_report(miner.totals())
    assert "accept/reject/overload: [5120/0/0, 0/0/0] - goodrate: [100%, 0%]" in line
    assert "overflow: [0, 5120]" in line


async def test_a_pool_that_is_killed_and_comes_back(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, second: ScriptedPool, log: LogWatch
) -> None:
    async with mining(first, second) as miner:
        engine.find(1024)
        await until(log, lambda: miner.totals().pools[1].counts.accepted == 1024)
        await second.stop()
        engine.find(1024)
        await log.wait_for(
            lambda message: "overflow: [0, 1024]" in message and message.endswith(", 0%]")
        )
        await second.start()
        engine.find(1024)
        await until(log, lambda: miner.totals().pools[1].counts.accepted == 2 * 1024)
    totals = miner.totals()
    assert totals.pools[0].counts.accepted == 3 * 1024
    assert (totals.pools[1].counts.accepted, totals.pools[1].counts.lost) == (2 * 1024, 1024)


async def test_an_idle_dead_pool_reads_0_percent_and_an_idle_healthy_one_nothing(
    mining: Any, first: ScriptedPool, second: ScriptedPool, log: LogWatch
) -> None:
    second.handlers = 0
    async with mining(first, second):
        await log.wait_for(lambda message: message.endswith("goodrate: [-, 0%]"))


async def test_a_hanging_pool_does_not_slow_the_other(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, second: ScriptedPool, log: LogWatch
) -> None:
    second.on_post = never
    async with mining(first, second, timing=replace(FAST, flush=0.5)) as miner:
        engine.find(1024, times=130)
        await until(log, lambda: miner.totals().pools[0].counts.accepted == 130 * 1024)
        # Ten uploads hang, a hundred batches wait, and twenty were dropped for them.
        second_pool = miner.totals().pools[1]
        assert second_pool.uploading == 10 * 1024
        assert second_pool.counts.lost == 20 * 1024
    second_pool = miner.totals().pools[1]
    assert (second_pool.counts.lost, second_pool.uploading) == (130 * 1024, 0)


async def test_an_upload_that_takes_too_long_is_lost(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, log: LogWatch
) -> None:
    first.on_post = never
    async with mining(first, upload_timeout=1) as miner:
        engine.find(1024)
        await log.wait_for(lambda message: "was not answered within 1 s" in message)
        assert miner.totals().pools[0].counts.lost == 1024


async def test_a_useless_further_pool_is_named_with_the_reason(
    mining: Any, first: ScriptedPool, second: ScriptedPool, log: LogWatch
) -> None:
    first.ann_target, second.ann_target = 0x2001FFFF, 0x2000FFFF
    async with mining(first, second):
        warning = await log.wait_for(lambda message: "gains nothing" in message)
        assert warning.startswith(f"{second.url} gains nothing from what is mined: it wants harder")
        second.ann_target = 0x2001FFFF
        await log.wait_for(
            lambda message: f"{second.url} gains from what is mined again" in message
        )


async def test_a_first_pool_without_usable_work_says_why(
    engine: ReplayEngine, clock: Clock, first: ScriptedPool, log: LogWatch
) -> None:
    first.config_edit = lambda config: replace(config, ann_versions=(2,))
    async with running(AnnouncementMiner(settings_for(first), engine, timing=FAST, clock=clock)):
        await log.wait_for(lambda message: f"{first.url} gives nothing to mine for" in message)
        assert engine.works == []
        first.config_edit = lambda config: config
        await engine.wait_for_work(lambda _: True)


async def test_mining_waits_for_the_first_pool(
    engine: ReplayEngine, clock: Clock, first: ScriptedPool, second: ScriptedPool, log: LogWatch
) -> None:
    await first.stop()
    miner = AnnouncementMiner(settings_for(first, second), engine, timing=FAST, clock=clock)
    async with running(miner):
        await log.wait_for(lambda message: "failed" in message and "Trying again" in message)
        assert engine.works == []
        await first.start()
        await engine.wait_for_work(lambda _: True)


@pytest.mark.parametrize("wrong", [0, 1])
async def test_a_url_that_is_no_pool_is_refused_at_the_start(
    engine: ReplayEngine, first: ScriptedPool, second: ScriptedPool, wrong: int
) -> None:
    [first, second][wrong].master_answer = lambda _: web.Response(status=404)
    miner = AnnouncementMiner(settings_for(first, second), engine, timing=FAST)
    with pytest.raises(
        PoolNonsense, match=r"is not a PacketCrypt pool: GET /config.json answered 404"
    ):
        await miner.run()


async def test_stopping_sends_what_was_found(
    mining: Any, engine: ReplayEngine, first: ScriptedPool
) -> None:
    async with mining(first):
        keys = engine.find(5)
    assert engine.paused
    assert first.accepted_keys == keys


async def test_stopping_does_not_wait_for_a_hanging_handler(
    mining: Any, engine: ReplayEngine, first: ScriptedPool, log: LogWatch
) -> None:
    first.on_post = never
    async with mining(first, timing=replace(FAST, flush=0.01)) as miner:
        engine.find(1024)
        await first.wait_for_posts(bool)
    assert f"1024 announcements could not be sent to {first.url} in time" in log.messages
    assert miner.totals().pools[0].counts.lost == 1024


def test_stopping_takes_less_than_three_seconds_by_design() -> None:
    timing, engine_close = MinerTiming(), 1.0
    assert timing.take + 2 * timing.drain + timing.flush + engine_close < 3.0


async def test_a_failed_engine_ends_the_miner_after_sending_what_was_found(
    engine: ReplayEngine, clock: Clock, first: ScriptedPool
) -> None:
    miner = AnnouncementMiner(settings_for(first), engine, timing=FAST, clock=clock)
    run = asyncio.create_task(miner.run())
    await engine.wait_for_work(lambda _: True)
    keys = engine.find(5)
    engine.fail(DeviceError("no device is left to mine with"))
    with pytest.raises(DeviceError, match="no device is left"):
        await run
    assert first.accepted_keys == keys


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_stop_a_miner_in_order(
    engine: ReplayEngine, clock: Clock, first: ScriptedPool, number: signal.Signals
) -> None:
    miner = AnnouncementMiner(settings_for(first), engine, timing=FAST, clock=clock)
    run = asyncio.create_task(run_until_signalled(miner))
    await engine.wait_for_work(lambda _: True)
    keys = engine.find(5)
    signal.raise_signal(number)
    await run
    assert first.accepted_keys == keys


async def test_a_cancelled_miner_leaves_no_task_behind(
    engine: ReplayEngine, clock: Clock, first: ScriptedPool
) -> None:
    tasks = asyncio.all_tasks()
    miner = AnnouncementMiner(settings_for(first), engine, timing=FAST, clock=clock)
    run = asyncio.create_task(miner.run())
    await engine.wait_for_work(lambda _: True)
    run.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await run
    assert {task for task in asyncio.all_tasks() - tasks if "miner" in repr(task)} == set()
