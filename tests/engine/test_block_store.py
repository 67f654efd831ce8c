"""The store: what it takes, what gives way, and that pinned rows stay what they are."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from made_up_blocks import EASIEST, USUAL, made_up

from packetcrypt.engine import block_store
from packetcrypt.engine.block_store import AddedAnnouncements, AnnouncementStore, PinnedRows
from packetcrypt.protocol.announcement import announcement_hash, dedup_key
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.set_selection import AnnouncementClass

HEIGHT = 1000
HARDER = 0x1E0FFFFF
"""256 times the work of the usual"""


def store_of(capacity: int, evicted_part: float = 0.0) -> AnnouncementStore:
    store = AnnouncementStore(np.zeros((capacity, 1024), np.uint8), capacity, evicted_part)
    store.set_height(HEIGHT)
    return store


def classes(store: AnnouncementStore) -> dict[tuple[int, int], int]:
    return {(each.parent_height, each.work_bits): each.count for each in store.classes()}


def contents(store: AnnouncementStore, pinned: PinnedRows) -> list[bytes]:
    return [store.announcement(row) for row in pinned.rows.tolist()]


def everything(store: AnnouncementStore) -> set[bytes]:
    return set(contents(store, store.pin(store.classes())))


def rows(announcements: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in announcements}


def test_announcements_are_taken_in_classes() -> None:
    store = store_of(100)
    old, young, hard = made_up(30, 990), made_up(20, 995), made_up(10, 995, HARDER)

    added = store.add(np.concatenate([old, young, hard]))

    assert added == AddedAnnouncements(taken=60)
    assert classes(store) == {(990, USUAL): 30, (995, USUAL): 20, (995, HARDER): 10}
    assert store.free == 40
    assert everything(store) == rows(old) | rows(young) | rows(hard)


def test_a_pin_has_the_announcements_of_its_classes_in_order() -> None:
    store = store_of(100)
    old, young = made_up(30, 990), made_up(20, 995)
    for batch in (old[:10], young, old[10:]):
        store.add(batch)

    pinned = store.pin([AnnouncementClass(990, USUAL, 30)])

    expected = sorted(rows(old), key=dedup_key)
    assert contents(store, pinned) == expected
    assert pinned.keys.tolist() == [dedup_key(announcement) for announcement in expected]
    hashes = np.empty((30, 32), np.uint8)
    store.hashes(pinned.rows, hashes)
    assert [row.tobytes() for row in hashes] == [announcement_hash(each) for each in expected]


def test_a_pin_may_have_a_part_of_a_class() -> None:
    store = store_of(100)
    for seed in range(3):
        store.add(made_up(10, 990, seed=seed))

    pinned = store.pin([AnnouncementClass(990, USUAL, 17)])

    assert len(pinned.rows) == 17
    assert set(contents(store, pinned)) < everything(store)
    assert pinned.keys.tolist() == sorted(map(dedup_key, contents(store, pinned)))


def test_of_equal_keys_in_two_classes_a_set_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    same = same_hash_for({990, 995})
    monkeypatch.setattr(block_store, "h32", same)
    store = store_of(100)
    assert store.add(np.concatenate([made_up(1, 990), made_up(1, 995)])).taken == 2
    pinned = store.pin(store.classes())
    assert len(pinned.rows) == 1
    del pinned
    assert store.free == 98


def same_hash_for(parents: set[int]) -> Callable[[bytes], bytes]:
    def h32(announcement: bytes) -> bytes:
        parent = int.from_bytes(announcement[12:16], "little")
        return bytes([7] * 32) if parent in parents else announcement_hash(announcement)

    return h32


def test_duplicates_are_counted_within_a_batch_and_across() -> None:
    store = store_of(100)
    announcements = made_up(10, 990)
    assert store.add(announcements[[0, 1, 1, 2, 0]]) == AddedAnnouncements(taken=3, duplicates=2)
    assert store.add(announcements) == AddedAnnouncements(taken=7, duplicates=3)


@pytest.mark.parametrize("key", [bytes(8), b"\xff" * 8], ids=["0", "2^64-1"])
def test_keys_that_the_tree_uses_are_unusable(key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_store, "h32", lambda announcement: key + bytes(24))
    assert store_of(10).add(made_up(1, 990)) == AddedAnnouncements(unusable=1)


@pytest.mark.parametrize(
    ("parent_height", "work_bits", "usable"),
    [
        (HEIGHT - 257, 0x03000001, True),
        (HEIGHT - 258, 0x03000001, False),
        (HEIGHT - 3, EASIEST, True),
        (HEIGHT - 4, EASIEST, False),
        (HEIGHT - 1, EASIEST, True),
        (HEIGHT + 5, EASIEST, True),
        (HEIGHT - 3, 0, False),
        (HEIGHT - 3, 0x20FFFFFF, False),
        (HEIGHT - 3, 0x21000001, False),
    ],
)
def test_what_no_block_can_use_is_unusable(
    parent_height: int, work_bits: int, usable: bool
) -> None:
    """Even the hardest announcement is degraded to nothing in time, the easiest at once."""
    added = store_of(10).add(made_up(1, parent_height, work_bits))
    assert added == (AddedAnnouncements(taken=1) if usable else AddedAnnouncements(unusable=1))


def test_another_version_is_unusable() -> None:
    announcement = made_up(1, 999)
    announcement[0, 0] = 0
    assert store_of(10).add(announcement) == AddedAnnouncements(unusable=1)


def test_announcements_too_young_are_kept_and_those_too_old_dropped() -> None:
    store = store_of(100)
    store.add(made_up(5, HEIGHT - 2, EASIEST))
    store.add(made_up(7, HEIGHT - 3, EASIEST))
    store.set_height(HEIGHT + 1)
    assert classes(store) == {(HEIGHT - 2, EASIEST): 5}
    store.set_height(HEIGHT + 2)
    assert store.free == 100


def test_a_full_store_gives_up_the_least_worth() -> None:
    store = store_of(30)
    store.add(made_up(10, 995, HARDER))
    store.add(made_up(10, 998, HARDER))
    store.add(made_up(10, 998, USUAL))

    added = store.add(made_up(15, 999, HARDER))

    assert added == AddedAnnouncements(taken=15)
    assert classes(store) == {(995, HARDER): 5, (998, HARDER): 10, (999, HARDER): 15}


def test_what_is_worth_less_than_all_is_dropped() -> None:
    store = store_of(10)
    better = made_up(10, 998, HARDER)
    store.add(better)
    assert store.add(made_up(5, 998)) == AddedAnnouncements(dropped=5)
    assert store.add(made_up(5, 998, HARDER, seed=1)) == AddedAnnouncements(dropped=5)
    assert everything(store) == rows(better)


def test_eviction_makes_room_in_advance() -> None:
    store = store_of(100, evicted_part=0.2)
    store.add(made_up(100, 995, HARDER))
    store.add(made_up(1, 998, HARDER))
    assert store.free == 19


def test_pinned_announcements_are_not_evicted() -> None:
    store = store_of(20)
    mined = made_up(20, 995, HARDER)
    store.add(mined)
    pinned = store.pin(store.classes())

    assert store.add(made_up(5, 998, HARDER)) == AddedAnnouncements(dropped=5)
    assert classes(store) == {(995, HARDER): 20}
    del pinned

    assert store.add(made_up(5, 998, HARDER)) == AddedAnnouncements(taken=5)


def test_forgotten_announcements_are_gone_but_stay_readable_while_pinned() -> None:
    store = store_of(10)
    announcements = made_up(4, 995, HARDER)
    store.add(announcements)
    pinned = store.pin(store.classes())
    before = contents(store, pinned)

    assert store.forget(pinned.keys[:2]) == 2

    assert classes(store) == {(995, HARDER): 2}
    assert store.free == 6
    assert contents(store, pinned) == before
    del pinned
    assert store.free == 8


def test_keys_to_forget_may_be_of_another_integer_type() -> None:
    """NumPy compares uint64 with int64 as doubles, which are equal for keys that are not."""
    store = store_of(10)
    store.add(made_up(4, 995, HARDER))
    signed = store.pin(store.classes()).keys.view(np.int64)
    assert store.forget(signed[:1] + 1) == 0
    assert store.forget(signed) == 4


def test_classes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_store, "MAX_CLASSES", 3)
    store = store_of(100)
    for work_bits in (0x2002FFFF, 0x2001FFFF, 0x2003FFFF, 0x2000FFFF):
        store.add(made_up(2, 998, work_bits))
    assert store.add(made_up(2, 998, EASIEST)) == AddedAnnouncements(dropped=2)
    assert set(classes(store)) == {(998, 0x2002FFFF), (998, 0x2001FFFF), (998, 0x2000FFFF)}


def test_changes_are_told_once_and_as_ranges() -> None:
    store = store_of(100)
    store.add(made_up(10, 995, HARDER))
    changes = store.follow()
    assert changes.take() == [(0, 10)]
    assert changes.take() == []
    store.add(made_up(90, 996, HARDER))
    assert changes.take() == [(10, 90)]


def test_a_row_written_again_is_told_again() -> None:
    store = store_of(10)
    changes = store.follow()
    store.add(made_up(10, 995, HARDER))
    changes.take()
    pinned = store.pin(store.classes())
    store.forget(pinned.keys[3:4])
    row = int(pinned.rows[3])
    del pinned
    store.add(made_up(1, 996, HARDER))
    assert changes.take() == [(row, 1)]


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 1000), np.uint8), np.zeros((3, 1024), np.int8), np.zeros(1024, np.uint8)]
)
def test_arrays_of_another_shape_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(DecodeError, match="give an array of shape"):
        store_of(10).add(wrong)
    with pytest.raises(DecodeError, match="give an array of shape"):
        store_of(10).knows(wrong)


class StoreMachine(RuleBasedStateMachine):
    """Whatever happens to a small store, pinned rows keep what they had when they were pinned."""

    CAPACITY = 40

    def __init__(self) -> None:
        super().__init__()
        self.store = store_of(self.CAPACITY, evicted_part=0.1)
        self.height = HEIGHT
        self.seed = 0
        self.pins: list[tuple[PinnedRows, list[bytes]]] = []

    @rule(
        count=st.integers(1, 25),
        age=st.integers(-1, 8),
        work_bits=st.sampled_from([EASIEST, USUAL, HARDER]),
    )
    def add(self, count: int, age: int, work_bits: int) -> None:
        self.seed += 1
        added = self.store.add(made_up(count, self.height - age, work_bits, self.seed))
        assert added.taken + added.dropped + added.unusable == count

    @rule()
    def pin(self) -> None:
        pinned = self.store.pin(self.store.classes())
        self.pins.append((pinned, contents(self.store, pinned)))

    @precondition(lambda self: self.pins)
    @rule(which=st.integers(0, 100))
    def unpin(self, which: int) -> None:
        del self.pins[which % len(self.pins)]

    @rule()
    def next_block(self) -> None:
        self.height += 1
        self.store.set_height(self.height)

    @precondition(lambda self: self.pins)
    @rule(which=st.integers(0, 100))
    def forget(self, which: int) -> None:
        pinned, _ = self.pins[which % len(self.pins)]
        self.store.forget(pinned.keys[::3])

    @invariant()
    def pinned_rows_are_what_they_were(self) -> None:
        for pinned, before in self.pins:
            assert contents(self.store, pinned) == before

    @invariant()
    def every_row_is_free_or_used_once(self) -> None:
        owned = self.store.pin(self.store.classes()).rows.tolist()
        used = set(owned).union(*(pinned.rows.tolist() for pinned, _ in self.pins))
        assert len(owned) == sum(each.count for each in self.store.classes())
        assert len(used) + self.store.free == self.CAPACITY

    @invariant()
    def keys_are_those_of_the_rows(self) -> None:
        pinned = self.store.pin(self.store.classes())
        keys = [dedup_key(announcement) for announcement in contents(self.store, pinned)]
        assert pinned.keys.tolist() == keys == sorted(keys)


TestPinnedRows = StoreMachine.TestCase
TestPinnedRows.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
