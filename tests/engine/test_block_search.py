"""The order of a device's operations, written down by kernels that compute nothing."""

from collections.abc import Callable

import numpy as np
import pytest
from made_up_blocks import block_work, made_up, mined_set_of

from packetcrypt.engine import block_search
from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_search import BlockSearch, Landed
from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.block_store import AnnouncementStore
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.kernels.block_interface import BlockKernels, FoundHashes
from packetcrypt.protocol.primitives import h32

HEIGHT = 1000
LAUNCH = 100


class Loaded:
    def __init__(self, slot: int, rows: np.ndarray) -> None:
        self.slot = slot
        self.rows = rows.tolist()
        self.count = len(rows)


class Launch:
    def __init__(self, kernels: "WritingKernels", entry: tuple[object, ...]) -> None:
        self._kernels = kernels
        self._entry = entry

    def result(self) -> FoundHashes:
        self._kernels.in_flight.remove(self._entry)
        return FoundHashes(np.empty(0, np.uint32), np.empty((0, 32), np.uint8))


class WritingKernels(BlockKernels):
    """Writes down what it is asked, and refuses what the interface forbids."""

    def __init__(self) -> None:
        self.max_launch = self.launch_quantum = LAUNCH
        self.written: list[tuple[int, int]] = []
        self.loaded: list[Loaded] = []
        self.searched: list[tuple[bytes, int, int, int]] = []
        self.in_flight: list[tuple[object, ...]] = []

    def rows_written(self, first: int, count: int) -> None:
        self.written.append((first, count))

    def hash_rows(self, first: int, count: int) -> np.ndarray:
        raise NotImplementedError

    def hash_layer(self, hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
        raise NotImplementedError

    def load_set(self, rows: np.ndarray, slot: int) -> Loaded:
        assert not any(entry[0] == slot for entry in self.in_flight)
        told = {row for first, count in self.written for row in range(first, first + count)}
        assert set(rows.tolist()) <= told
        self.loaded.append(Loaded(slot, rows))
        return self.loaded[-1]

    def search(  # type: ignore[override]
        self,
        loaded: Loaded,
        header_hash: bytes,
        target: int,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> Launch:
        assert len(self.in_flight) < self.LAUNCHES
        entry = (loaded.slot, first)
        self.in_flight.append(entry)
        self.searched.append((header_hash, loaded.count, first, count))
        return Launch(self, entry)

    def close(self) -> None:
        pass


@pytest.fixture
def store() -> AnnouncementStore:
    return AnnouncementStore(np.zeros((200, 1024), np.uint8), 200)


@pytest.fixture
def kernels() -> WritingKernels:
    return WritingKernels()


@pytest.fixture
def search(store: AnnouncementStore, kernels: WritingKernels) -> BlockSearch:
    return BlockSearch(kernels, store.follow(), iter(range(7, 100)), LaunchSize(LAUNCH, LAUNCH))


def mined_set(store: AnnouncementStore, count: int) -> MinedSet:
    """A set of `count` more announcements than before."""
    store.add(made_up(count, HEIGHT - 3, seed=store.free))
    return mined_set_of(store)


def candidate_of(mined: MinedSet, height: int = HEIGHT) -> BlockCandidate:
    candidate = BlockCandidate.of(block_work(height), mined)
    assert candidate is not None
    return candidate


def adopt(search: BlockSearch, candidate: BlockCandidate | None) -> list[Landed]:
    return list(search.adopt(candidate))


def land(search: BlockSearch, launches: int) -> list[Landed]:
    landed: list[Landed] = []
    while len(landed) < launches:
        one = search.advance()
        if one is not None:
            landed.append(one)
    return landed


def test_low_nonces_are_searched_once_in_order(
    store: AnnouncementStore, kernels: WritingKernels, search: BlockSearch
) -> None:
    candidate = candidate_of(mined_set(store, 10))
    assert adopt(search, candidate) == []
    landed = land(search, 5)

    header_hash = h32(candidate.header(7))
    assert kernels.searched[:5] == [(header_hash, 10, 100 * i, LAUNCH) for i in range(5)]
    assert [one.header for one in landed] == [candidate.header(7)] * 5
    assert [one.hashes for one in landed] == [LAUNCH] * 5


def test_two_launches_are_in_flight(
    store: AnnouncementStore, kernels: WritingKernels, search: BlockSearch
) -> None:
    adopt(search, candidate_of(mined_set(store, 10)))
    assert search.advance() is None
    assert search.advance() is None
    assert len(kernels.in_flight) == 2
    assert search.advance() is not None
    assert len(kernels.in_flight) == 1


def test_when_the_low_nonces_are_used_up_the_header_nonce_changes(
    store: AnnouncementStore,
    kernels: WritingKernels,
    search: BlockSearch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(block_search, "LOW_NONCES", 250)
    search._next_nonce = 250
    candidate = candidate_of(mined_set(store, 10))
    adopt(search, candidate)
    land(search, 4)
    first, second = h32(candidate.header(7)), h32(candidate.header(8))
    assert [(header, start, count) for header, _, start, count in kernels.searched[:4]] == [
        (first, 0, 100),
        (first, 100, 100),
        (first, 200, 50),
        (second, 0, 100),
    ]


def test_new_work_with_the_same_set_loads_nothing(
    store: AnnouncementStore, kernels: WritingKernels, search: BlockSearch
) -> None:
    mined = mined_set(store, 10)
    adopt(search, candidate_of(mined))
    land(search, 2)
    following = candidate_of(mined, HEIGHT + 1)
    assert adopt(search, following) == []
    land(search, 3)
    assert len(kernels.loaded) == 1
    assert kernels.searched[-1][0] == h32(following.header(8))


def test_sets_are_loaded_in_turns_beside_the_one_in_use(
    store: AnnouncementStore, kernels: WritingKernels, search: BlockSearch
) -> None:
    landed = []
    for count in (10, 20, 30):
        landed += adopt(search, candidate_of(mined_set(store, count)))
        search.advance()
    assert [loaded.slot for loaded in kernels.loaded] == [1, 0, 1]
    assert [loaded.count for loaded in kernels.loaded] == [10, 30, 60]
    # the third set took the place of the first, whose launch had to land before
    assert [one.candidate.mined.count for one in landed] == [10]
    assert kernels.written == [(0, 10), (10, 20), (30, 30)]


def test_the_set_before_is_let_go_with_its_last_launch(
    store: AnnouncementStore, search: BlockSearch
) -> None:
    adopt(search, candidate_of(mined_set(store, 10)))
    land(search, 1)
    store.forget(store.pin(store.classes()).keys)
    adopt(search, candidate_of(mined_set(store, 5)))
    assert store.free == 185
    land(search, 2)
    assert store.free == 195


def test_without_a_candidate_launches_land_and_none_begins(
    store: AnnouncementStore, kernels: WritingKernels, search: BlockSearch
) -> None:
    adopt(search, candidate_of(mined_set(store, 10)))
    search.advance()
    search.advance()
    adopt(search, None)
    assert search.advance() is not None
    assert search.advance() is not None
    assert search.advance() is None
    assert kernels.in_flight == []


def test_launches_that_may_have_been_cut_short_are_not_counted(
    store: AnnouncementStore, kernels: WritingKernels
) -> None:
    stopped = False
    search = BlockSearch(
        kernels,
        store.follow(),
        iter(range(9)),
        LaunchSize(LAUNCH, LAUNCH),
        lambda candidate: stopped,
    )
    adopt(search, candidate_of(mined_set(store, 10)))
    land(search, 1)
    stopped = True
    assert [one.hashes for one in search.drain()] == [0]
