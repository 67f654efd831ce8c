"""What becomes of good and bad announcements; parent blocks come over real HTTP."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Future
from dataclasses import replace

import aiohttp
import numpy as np
import pytest
from block_miner_parts import Announcements, ByteChecker, SetStore, made_announcements
from scripted_pool import ScriptedPool, keyed, made_up_block, made_up_chain

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.master import MasterClient
from packetcrypt.engine.block_store import AddedAnnouncements
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.miner.announcement_intake import AnnouncementIntake, IntakeCounts, NothingChecks
from packetcrypt.miner.block_settings import AnnouncementTrust
from packetcrypt.miner.chain import DEEPEST_AGE, ParentHashes
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE
from packetcrypt.protocol.errors import DeviceError

TIP = 200_000
HANDLER = "http://handler.example"


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool(chain=made_up_chain("main", TIP, DEEPEST_AGE + 5)) as pool:
        yield pool


@pytest.fixture
async def parents(pool: ScriptedPool) -> AsyncIterator[ParentHashes]:
    async with aiohttp.ClientSession() as session:
        parents = ParentHashes(MasterClient(session, pool.url))
        await parents.follow(pool.config())
        yield parents


@pytest.fixture
def store() -> SetStore:
    return SetStore()


@pytest.fixture
def checker() -> ByteChecker:
    return ByteChecker()


class SlowChecker(ByteChecker):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self._answers: list[tuple[Future[CheckedAnnouncements], CheckedAnnouncements]] = []

    def submit(
        self, announcements: Announcements, parent_hashes: Announcements
    ) -> Future[CheckedAnnouncements]:
        future: Future[CheckedAnnouncements] = Future()
        self._answers.append((future, super().submit(announcements, parent_hashes).result()))
        self.asked.set()
        return future

    def answer(self) -> None:
        for future, answer in self._answers:
            future.set_result(answer)


def intake(
    store: SetStore,
    parents: ParentHashes,
    checker: ByteChecker,
    trust: AnnouncementTrust = AnnouncementTrust.NONE,
) -> AnnouncementIntake:
    complaints = Complaints(logging.getLogger(__name__))
    return AnnouncementIntake(store, parents, checker, trust, complaints, retry_s=0.01)


async def test_good_announcements_are_stored(
    store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    good = made_announcements(30, TIP - 2)
    taking = intake(store, parents, checker)
    await taking.take(HANDLER, good)
    assert store.rows == {row.tobytes() for row in good}
    assert taking.counts(HANDLER) == IntakeCounts(taken=30)
    assert taking.counts("somebody else") == IntakeCounts()
    assert checker.parents == {pool.chain[-3].hash}


async def test_invalid_ones_are_not(
    store: SetStore,
    parents: ParentHashes,
    checker: ByteChecker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    mixed = made_announcements(30, TIP, bad=7)
    taking = intake(store, parents, checker)
    await taking.take(HANDLER, mixed)
    assert store.rows == {row.tobytes() for row in mixed[7:]}
    assert taking.counts(HANDLER) == IntakeCounts(taken=23, invalid=7)
    assert f"{HANDLER} gave 7 invalid announcements among 30" in caplog.text


async def test_duplicates_cost_no_check(
    store: SetStore, parents: ParentHashes, checker: ByteChecker
) -> None:
    taking = intake(store, parents, checker)
    for _ in range(3):
        await taking.take(HANDLER, made_announcements(10, TIP))
    assert checker.checked == 10
    assert taking.counts(HANDLER) == IntakeCounts(taken=10, duplicates=20)


@pytest.mark.parametrize(
    "height", [0, TIP - DEEPEST_AGE, TIP + 1, 0xFFFFFFFF], ids=["first", "old", "next", "last"]
)
async def test_heights_out_of_reach_cost_nothing(
    height: int, store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    asked = len(pool.requests)
    taking = intake(store, parents, checker)
    await taking.take(HANDLER, made_announcements(10, height))
    assert taking.counts(HANDLER) == IntakeCounts(unusable=10)
    assert (checker.checked, len(pool.requests)) == (0, asked)


async def test_another_version_is_unusable(
    store: SetStore, parents: ParentHashes, checker: ByteChecker
) -> None:
    announcements = made_announcements(10, TIP)
    announcements.view(ANNOUNCEMENT_DTYPE)["version"][:4] = 0
    taking = intake(store, parents, checker)
    await taking.take(HANDLER, announcements)
    assert taking.counts(HANDLER) == IntakeCounts(taken=6, unusable=4)


async def test_only_the_pools_own_key_can_be_signed_for(
    store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    key = b"\x0a" * 32
    pool.chain = keyed(pool.chain, key)
    unsigned, signed, foreign = (made_announcements(5, TIP - 1, seed=n) for n in range(3))
    signed.view(ANNOUNCEMENT_DTYPE)["signing_key"] = np.frombuffer(key, np.uint8)
    foreign.view(ANNOUNCEMENT_DTYPE)["signing_key"] = 0x0B
    taking = intake(store, parents, checker)
    await taking.take(HANDLER, np.concatenate([unsigned, signed, foreign]))
    assert store.rows == {row.tobytes() for row in (*unsigned, *signed)}
    assert taking.counts(HANDLER) == IntakeCounts(taken=10, unusable=5)


async def test_each_is_checked_for_its_own_parent(
    store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    heights = (TIP, TIP - 9, TIP - 3)
    mixed = np.concatenate([made_announcements(5, height) for height in heights])
    taking = intake(store, parents, checker)
    await taking.take(HANDLER, mixed)
    assert taking.counts(HANDLER) == IntakeCounts(taken=15)
    assert checker.parents == {pool.chain[height - TIP - 1].hash for height in heights}


async def test_a_parent_replaced_during_the_check_makes_them_unusable(
    store: SetStore, parents: ParentHashes, pool: ScriptedPool
) -> None:
    checker = SlowChecker()
    taking = intake(store, parents, checker)
    both = np.concatenate([made_announcements(5, TIP), made_announcements(5, TIP - 1)])
    task = asyncio.create_task(taking.take(HANDLER, both))
    await checker.asked.wait()
    del pool.chain[-1:]
    pool.chain.append(made_up_block("other", TIP, pool.chain[-1]))
    await parents.follow(pool.config())
    checker.answer()
    await task
    assert taking.counts(HANDLER) == IntakeCounts(taken=5, unusable=5)
    assert {row[12:16] for row in store.rows} == {(TIP - 1).to_bytes(4, "little")}


async def test_a_device_that_fails_drops_the_delivery_and_says_so(
    store: SetStore,
    parents: ParentHashes,
    checker: ByteChecker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    taking = intake(store, parents, checker)
    checker.error = DeviceError("device 0:0 is on fire.")
    await taking.take(HANDLER, made_announcements(10, TIP))
    assert taking.counts(HANDLER) == IntakeCounts(dropped=10)
    assert f"on fire. 10 announcements from {HANDLER} are dropped" in caplog.text
    checker.error = None
    await taking.take(HANDLER, made_announcements(10, TIP))
    assert taking.counts(HANDLER) == IntakeCounts(taken=10, dropped=10)


async def test_announcements_wait_for_a_master_that_is_away(
    store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    await pool.stop()
    taking = intake(store, parents, checker)
    waiting = asyncio.create_task(taking.take(HANDLER, made_announcements(10, TIP - 4)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await pool.start()
    await waiting
    assert taking.counts(HANDLER) == IntakeCounts(taken=10)


async def test_others_do_not_wait_for_a_master_that_is_away(
    store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    await pool.stop()
    taking = intake(store, parents, checker)
    waiting = [
        asyncio.create_task(taking.take("another", made_announcements(10, TIP - 4, seed=seed)))
        for seed in range(5)
    ]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        await taking.take(HANDLER, made_announcements(10, TIP))
    assert taking.counts(HANDLER) == IntakeCounts(taken=10)
    for task in waiting:
        task.cancel()


async def test_parents_that_the_master_does_not_have_are_unusable(
    store: SetStore, parents: ParentHashes, checker: ByteChecker, pool: ScriptedPool
) -> None:
    del pool.chain[:-1]
    taking = intake(store, parents, checker)
    both = np.concatenate([made_announcements(5, TIP), made_announcements(5, TIP - 1)])
    async with asyncio.timeout(30):
        await taking.take(HANDLER, both)
    assert taking.counts(HANDLER) == IntakeCounts(taken=5, unusable=5)


async def test_without_a_device_nothing_is_taken_any_more(
    store: SetStore, parents: ParentHashes
) -> None:
    class Ended(ByteChecker):
        def submit(
            self, announcements: Announcements, parent_hashes: Announcements
        ) -> Future[CheckedAnnouncements]:
            raise DeviceError("device 0:0 burnt down.")

    with pytest.raises(NothingChecks, match=r"cannot be checked any more.*burnt down"):
        await intake(store, parents, Ended()).take(HANDLER, made_announcements(10, TIP))


class TestTrust:
    """How much is checked of what a source gives."""

    async def test_all_checks_nothing(
        self, store: SetStore, parents: ParentHashes, checker: ByteChecker
    ) -> None:
        taking = intake(store, parents, checker, AnnouncementTrust.ALL)
        await taking.take(HANDLER, made_announcements(100, TIP, bad=50))
        assert (checker.checked, taking.counts(HANDLER).taken) == (0, 100)

    async def test_sample_checks_some(
        self, store: SetStore, parents: ParentHashes, checker: ByteChecker
    ) -> None:
        taking = intake(store, parents, checker, AnnouncementTrust.SAMPLE)
        await taking.take(HANDLER, made_announcements(1000, TIP))
        assert taking.counts(HANDLER).taken == 1000
        assert 0 < checker.checked < 100

    async def test_sample_ends_with_the_first_invalid_one(
        self, store: SetStore, parents: ParentHashes, checker: ByteChecker
    ) -> None:
        taking = intake(store, parents, checker, AnnouncementTrust.SAMPLE)
        await taking.take(HANDLER, made_announcements(400, TIP, bad=390))
        assert checker.checked == 400
        await taking.take(HANDLER, made_announcements(400, TIP, seed=1, bad=1))
        assert taking.counts(HANDLER) == IntakeCounts(taken=409, invalid=391)
        await taking.take("another", made_announcements(400, TIP, seed=2))
        assert checker.checked < 900


async def test_two_deliveries_are_checked_at_a_time(store: SetStore, parents: ParentHashes) -> None:
    checker = SlowChecker()
    taking = intake(store, parents, checker)
    tasks = [
        asyncio.create_task(taking.take(HANDLER, made_announcements(1, TIP, seed=seed)))
        for seed in range(5)
    ]
    await checker.asked.wait()
    await asyncio.sleep(0.1)
    assert checker.checked == 2
    for task in tasks:
        task.cancel()


async def test_what_left_the_chain_while_it_was_stored_is_forgotten_afterwards(
    parents: ParentHashes, checker: ByteChecker
) -> None:
    order: list[str] = []
    adding, go_on = threading.Event(), threading.Event()

    class SlowStore(SetStore):
        def add(self, announcements: Announcements) -> AddedAnnouncements:
            adding.set()
            go_on.wait(30)
            order.append("added")
            return super().add(announcements)

        def forget_parents(self, heights: Iterable[int]) -> int:
            order.append("forgotten")
            return super().forget_parents(heights)

    taking = intake(SlowStore(), parents, checker)
    task = asyncio.create_task(taking.take(HANDLER, made_announcements(5, TIP)))
    await asyncio.to_thread(adding.wait, 30)
    forgetting = asyncio.create_task(taking.forget_parents({TIP}))
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(task, forgetting)
    assert order == ["added", "forgotten"]


async def test_heights_that_left_the_chain_are_forgotten(
    store: SetStore, parents: ParentHashes, checker: ByteChecker
) -> None:
    await intake(store, parents, checker).forget_parents(frozenset({TIP}))
    assert store.forgotten == [TIP]


def test_counts_add_up() -> None:
    counts = IntakeCounts(1, 2, 3, 4, 5)
    assert counts.received == 15
    assert counts.plus(counts) == replace(
        IntakeCounts(), **{name: 2 * value for name, value in counts.__dict__.items()}
    )
