"""Which set is mined when: a real planner, with the test in the place of the devices."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from made_up_blocks import EASIEST, USUAL, PlainHasher, block_work, made_up, whole_tree

from packetcrypt.engine.block_planner import Plan, SetPlanner
from packetcrypt.engine.block_rule import BuildRule
from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.block_store import AnnouncementStore, PinnedRows
from packetcrypt.engine.tree_task import TreeTask
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import degrade
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.set_selection import AnnouncementClass, best_set
from packetcrypt.protocol.work_file import BlockWork

HEIGHT = 1000
PATIENCE = 60.0
CAPACITY = 500
LARGEST = 449


@pytest.fixture
def planner() -> Iterator[SetPlanner]:
    store = AnnouncementStore(np.zeros((CAPACITY, 1024), np.uint8), CAPACITY)
    planner = SetPlanner(store, LARGEST)
    planner.run_thread()
    yield planner
    planner.close()
    planner.join(PATIENCE)


def add(planner: SetPlanner, *batches: np.ndarray) -> None:
    for batch in batches:
        planner.added(planner.store.add(batch))


def wait_until(condition: Callable[[], bool]) -> None:
    patience = threading.Event()
    timer = threading.Timer(PATIENCE, patience.set)
    timer.start()
    while not condition():
        assert not patience.wait(0.002)
    timer.cancel()


def claim(planner: SetPlanner) -> TreeTask:
    """The next tree that the planner wants."""
    claimed: list[TreeTask] = []

    def try_to_claim() -> bool:
        task = planner.claim()
        if task is not None:
            claimed.append(task)
        return bool(claimed)

    wait_until(try_to_claim)
    return claimed[0]


def build(planner: SetPlanner, task: TreeTask) -> MinedSet:
    """Build it, and wait for the plan to mine it."""
    planner.built(task, whole_tree(planner.store, task.pinned, PlainHasher()), "0:0")
    wait_until(lambda: task.mined is not None and planner.mined is task.mined)
    assert task.mined is not None
    return task.mined


def mine(planner: SetPlanner, work: BlockWork, *batches: np.ndarray) -> MinedSet:
    add(planner, *batches)
    planner.start(work)
    return build(planner, claim(planner))


def test_the_best_set_is_mined(planner: SetPlanner) -> None:
    weak = made_up(10, HEIGHT - 3, EASIEST)  # would make 101 others worth 1/2048
    strong = made_up(101, HEIGHT - 3, USUAL)
    young = made_up(50, HEIGHT - 2, USUAL)

    mined = mine(planner, block_work(HEIGHT), weak, strong, young)

    best = best_set(planner.store.classes(), HEIGHT)
    assert best is not None
    assert mined.classes == best.classes
    assert mined.count == best.count == 101
    candidate = planner.plan.candidate
    assert candidate is not None
    assert candidate.mined is mined


def test_a_store_full_of_one_class_still_takes_new_announcements(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(CAPACITY, HEIGHT - 3))
    assert mined.count == LARGEST
    added = planner.store.add(made_up(100, HEIGHT - 2))
    assert (added.taken, added.dropped) == (CAPACITY - LARGEST, 100 - (CAPACITY - LARGEST))


def test_without_announcements_nothing_is_mined_until_they_come(planner: SetPlanner) -> None:
    planner.start(block_work(HEIGHT))
    assert planner.plan.candidate is None
    add(planner, made_up(5, HEIGHT - 3))
    assert build(planner, claim(planner)).count == 5


def test_at_a_new_height_the_old_set_is_mined_at_once(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(50, HEIGHT - 3))

    planner.start(block_work(HEIGHT + 1))

    candidate = planner.plan.candidate
    assert candidate is not None
    assert candidate.work.height == HEIGHT + 1
    assert candidate.mined is mined
    # a block older: half the work, twice the target
    assert BlockCommitment.decode(candidate.commitment).max_target == degrade(USUAL, 4)


def test_a_set_that_is_too_old_is_not_mined(planner: SetPlanner) -> None:
    mine(planner, block_work(HEIGHT), made_up(50, HEIGHT - 3, EASIEST))
    add(planner, made_up(7, HEIGHT - 2, EASIEST))
    planner.start(block_work(HEIGHT + 1))
    assert planner.plan.candidate is None
    assert build(planner, claim(planner)).count == 7
    assert planner.plan.candidate is not None


def test_while_the_next_tree_is_built_the_old_one_is_mined(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(51, HEIGHT - 3))
    add(planner, made_up(300, HEIGHT - 3, seed=1))
    task = claim(planner)
    candidate = planner.plan.candidate
    assert candidate is not None
    assert candidate.mined is mined

    assert build(planner, task).count == 351

    after = planner.plan.candidate
    assert after is not None
    assert after.mined is task.mined
    assert after.work is candidate.work


def test_rows_of_a_forgotten_set_become_free(planner: SetPlanner) -> None:
    mine(planner, block_work(HEIGHT), made_up(400, HEIGHT - 3, EASIEST))
    planner.start(block_work(HEIGHT + 1))
    add(planner, made_up(20, HEIGHT - 2, EASIEST))
    build(planner, claim(planner))
    wait_until(lambda: planner.store.free == CAPACITY - 20)


def test_a_task_that_a_device_gives_up_goes_to_another(planner: SetPlanner) -> None:
    add(planner, made_up(5, HEIGHT - 3))
    planner.start(block_work(HEIGHT))
    task = claim(planner)
    assert planner.claim() is None
    planner.release(task)
    assert claim(planner) is task


def test_a_wrong_set_is_built_again(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(5, HEIGHT - 3))
    planner.discard(mined)
    assert planner.plan.candidate is None
    assert build(planner, claim(planner)) is not mined


def test_a_set_with_bad_announcements_is_replaced(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(50, HEIGHT - 3))
    bad = mined.pinned.keys[:3]
    planner.store.forget(bad)
    planner.forgotten(bad)
    after = build(planner, claim(planner))
    assert after.count == 47
    assert not np.isin(bad, after.pinned.keys).any()


def test_a_set_without_anything_left_is_not_mined_any_more(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(51, HEIGHT - 3))
    planner.store.forget(mined.pinned.keys)
    planner.forgotten(mined.pinned.keys)
    wait_until(lambda: planner.plan.candidate is None)
    del mined
    wait_until(lambda: planner.store.free == CAPACITY)


def test_a_set_of_which_parents_left_the_chain_is_replaced(planner: SetPlanner) -> None:
    mined = mine(
        planner, block_work(HEIGHT), made_up(50, HEIGHT - 3), made_up(41, HEIGHT - 4, seed=1)
    )
    assert mined.count == 91
    planner.store.forget_parents([HEIGHT - 3])
    planner.forgotten_parents([HEIGHT - 3])
    after = build(planner, claim(planner))
    assert {each.parent_height for each in after.classes} == {HEIGHT - 4}
    assert after.count == 41


@pytest.mark.parametrize("what", ["keys", "parents"])
def test_a_tree_with_forgotten_announcements_is_abandoned(planner: SetPlanner, what: str) -> None:
    add(planner, made_up(50, HEIGHT - 3), made_up(41, HEIGHT - 4, seed=1))
    planner.start(block_work(HEIGHT))
    task = claim(planner)
    assert len(task.pinned.rows) == 91
    bad = made_up(50, HEIGHT - 3)
    if what == "keys":
        keys = np.array([dedup_key(row.tobytes()) for row in bad], np.uint64)
        planner.store.forget(keys)
        planner.forgotten(keys)
    else:
        planner.store.forget_parents([HEIGHT - 3])
        planner.forgotten_parents([HEIGHT - 3])
    assert task.abandoned
    assert build(planner, claim(planner)).count == 41


def test_a_tree_goes_on_when_others_are_forgotten(planner: SetPlanner) -> None:
    add(planner, made_up(51, HEIGHT - 3))
    planner.start(block_work(HEIGHT))
    task = claim(planner)
    planner.forgotten(np.array([1, 2**64 - 2], np.uint64))
    planner.forgotten_parents([HEIGHT - 4])
    assert not task.abandoned
    assert build(planner, task).count == 51


def test_what_is_forgotten_while_a_set_is_put_in_order_is_not_built(
    planner: SetPlanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = planner.store.pin
    bad = made_up(50, HEIGHT - 3)[:3]
    keys = np.array([dedup_key(row.tobytes()) for row in bad], np.uint64)

    def pin_and_forget(classes: Iterable[AnnouncementClass]) -> PinnedRows:
        pinned = pin(classes)
        monkeypatch.undo()
        planner.store.forget(keys)
        planner.forgotten(keys)
        return pinned

    monkeypatch.setattr(planner.store, "pin", pin_and_forget)
    assert mine(planner, block_work(HEIGHT), made_up(50, HEIGHT - 3)).count == 47


def test_a_tree_that_is_too_old_for_new_work_is_abandoned(planner: SetPlanner) -> None:
    add(planner, made_up(50, HEIGHT - 3, EASIEST), made_up(7, HEIGHT - 2, EASIEST))
    planner.start(block_work(HEIGHT))
    task = claim(planner)
    planner.start(block_work(HEIGHT + 1))
    assert task.abandoned
    assert build(planner, claim(planner)).count == 7


def test_what_building_took_decides_what_the_next_set_must_gain(planner: SetPlanner) -> None:
    class Noting(BuildRule):
        asked: ClassVar[list[tuple[int, float]]] = []

        def pays(self, height: int, best: int, current: int, build_s: float) -> bool:
            self.asked.append((best, build_s))
            return super().pays(height, best, current, build_s)

        def built(self) -> None:
            self.asked.clear()  # a new reckoning begins
            super().built()

    planner._rule = Noting()
    add(planner, made_up(51, HEIGHT - 3))
    planner.start(block_work(HEIGHT))
    task = claim(planner)
    task.seconds = 102.0
    build(planner, task)
    assert Noting.asked == []
    add(planner, made_up(10, HEIGHT - 3, seed=1))
    wait_until(lambda: bool(Noting.asked))
    assert Noting.asked[-1][1] == pytest.approx(61 * 2.0)


@pytest.mark.parametrize(("first", "later"), [(50, 0), (49, 1)])
def test_the_announcement_that_would_make_a_set_even_is_no_reason_to_build(
    planner: SetPlanner, first: int, later: int
) -> None:
    """Else the set of 49 would be built again and again for the 50th."""
    compared: list[tuple[int, int]] = []

    class Noting(BuildRule):
        def pays(self, height: int, best: int, current: int, build_s: float) -> bool:
            pays = super().pays(height, best, current, build_s)
            compared.append((best, current))
            return pays

    planner._rule = Noting()
    mined = mine(planner, block_work(HEIGHT), made_up(first, HEIGHT - 3))
    assert mined.count == 49
    compared.clear()
    if later:
        add(planner, made_up(later, HEIGHT - 3, seed=1))
    planner.start(block_work(HEIGHT, USUAL))  # other work of the same height: a comparison at once
    wait_until(lambda: bool(compared))

    power = mined.power(HEIGHT)
    assert set(compared) == {(power, power)}
    assert not planner._rule.waiting
    assert planner.claim() is None
    assert planner.mined is mined


def test_an_error_does_not_end_the_planning(
    planner: SetPlanner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_memory(_: object) -> PinnedRows:
        raise MemoryError

    monkeypatch.setattr(planner.store, "pin", no_memory)
    add(planner, made_up(51, HEIGHT - 3))
    planner.start(block_work(HEIGHT))
    wait_until(lambda: "failed" in caplog.text)
    monkeypatch.undo()
    add(planner, made_up(10, HEIGHT - 3, seed=1))
    assert build(planner, claim(planner)).count == 61


def test_the_same_work_again_changes_nothing(planner: SetPlanner) -> None:
    mine(planner, block_work(HEIGHT), made_up(50, HEIGHT - 3))
    plan = planner.plan
    planner.start(block_work(HEIGHT))
    assert planner.plan is plan


def test_a_pause_and_the_same_work_go_on_with_the_same_set(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(50, HEIGHT - 3))
    planner.pause()
    assert planner.plan.candidate is None
    planner.start(block_work(HEIGHT))
    candidate = planner.plan.candidate
    assert candidate is not None
    assert candidate.mined is mined


def test_a_coinbase_without_placeholder_is_refused(planner: SetPlanner) -> None:
    work = block_work(HEIGHT)
    with pytest.raises(DecodeError, match="placeholders"):
        planner.start(replace(work, coinbase_no_witness=bytes(100)))


def test_after_the_end_nothing_changes(planner: SetPlanner) -> None:
    mined = mine(planner, block_work(HEIGHT), made_up(5, HEIGHT - 3))
    planner.close()
    planner.start(block_work(HEIGHT + 1))
    planner.pause()
    planner.discard(mined)
    assert planner.plan.closed
    planner.wait(Plan())  # returns at once
