"""Which process searches what, with processes that answer when the test says so."""

from collections.abc import Callable

import numpy as np
import pytest

from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.numpy.process_search import ProcessSearch
from packetcrypt.kernels.numpy.worker_messages import Answer, Command, SearchBatch
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError

JOB = AnnouncementJob(
    AnnouncementHeader(hard_nonce=1, work_bits=0x2001FFFF, parent_height=5), bytes(32)
)


class SlowPool:
    """Workers that carry out an order when `wait` is called and it is their turn in `turns`.

    ordered : the (worker, first nonce) of all orders, in order
    """

    def __init__(self, count: int, turns: list[int] | None = None) -> None:
        self.count = count
        self.turns = turns
        self.ordered: list[tuple[int, int]] = []
        self.cancelled: list[int] = []
        self.error: DeviceError | None = None
        self._queue: list[tuple[int, int, SearchBatch, Callable[[Answer], None]]] = []

    def send(self, worker: int, command: Command, answered: Callable[[Answer], None]) -> int:
        assert isinstance(command, SearchBatch)
        self.ordered.append((worker, command.first))
        self._queue.append((worker, len(self.ordered), command, answered))
        return len(self.ordered)

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def wait(self, seconds: float) -> None:
        turn = self.turns.pop(0) if self.turns else self._queue[0][0]
        order = next(order for order in self._queue if order[0] == turn)
        self._queue.remove(order)
        _, number, batch, answered = order
        result = None if number in self.cancelled else _found(batch.first)
        answered(Answer(number, result, self.error))


def _found(nonce: int) -> FoundAnnouncements:
    return FoundAnnouncements(
        np.zeros((1, 1024), np.uint8), np.zeros(1, np.uint64), np.array([nonce], np.uint32)
    )


def batches(*firsts: int) -> list[SearchBatch]:
    return [SearchBatch(JOB, bytes(64), 0, first, 100) for first in firsts]


def search_of(pool: SlowPool, launches: int = 2) -> ProcessSearch:
    return ProcessSearch(pool, launches)  # type: ignore[arg-type]


def test_every_process_has_work_ahead_but_no_more() -> None:
    pool = SlowPool(2)
    search_of(pool).launch(batches(0, 1, 2, 3, 4, 5), None)
    assert pool.ordered == [(0, 0), (1, 1), (0, 2), (1, 3)]


def test_who_is_faster_searches_more() -> None:
    pool = SlowPool(2, turns=[1, 1, 1, 1, 0, 0])
    launch = search_of(pool).launch(batches(0, 1, 2, 3, 4, 5), None)

    found = launch.result()

    assert pool.ordered[4:] == [(1, 4), (1, 5)]
    assert found.soft_nonces.tolist() == [0, 1, 2, 3, 4, 5]


def test_the_next_launch_fills_the_gaps_of_the_first() -> None:
    pool = SlowPool(2)
    search = search_of(pool)
    first = search.launch(batches(0), None)
    second = search.launch(batches(10, 11, 12, 13), None)
    assert pool.ordered == [(0, 0), (1, 10), (0, 11), (1, 12)]
    assert second.result().soft_nonces.tolist() == [10, 11, 12, 13]
    assert first.result().soft_nonces.tolist() == [0]


def test_a_cancelled_launch_gives_up_what_is_dealt_and_what_is_not() -> None:
    pool = SlowPool(2)
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(len(asked) == 1)
        return asked[-1]

    search = search_of(pool)
    found = search.launch(batches(0, 1, 2, 3, 4, 5, 6), cancelled).result()

    assert asked == [False, True]
    assert len(pool.ordered) == 5  # one was answered before, and one more was dealt
    assert sorted(pool.cancelled) == [2, 3, 4, 5]
    assert found.soft_nonces.tolist() == [0]
    # What the processes answer later finds nobody waiting, and they are there for the next launch.
    assert search.launch(batches(20), None).result().soft_nonces.tolist() == [20]


def test_another_launch_is_not_cancelled_with_it() -> None:
    pool = SlowPool(2)
    search = search_of(pool)
    given_up = search.launch(batches(0), lambda: True)
    other = search.launch(batches(10), lambda: False)
    assert other.result().soft_nonces.tolist() == [10]
    assert given_up.result().soft_nonces.tolist() == []


def test_an_error_is_raised_by_its_launch() -> None:
    pool = SlowPool(2)
    pool.error = DeviceError("out of a table")
    search = search_of(pool)
    launch = search.launch(batches(0, 1, 2, 3, 4, 5), None)
    with pytest.raises(DeviceError, match="out of a table"):
        launch.result()
    assert len(pool.ordered) == 4  # what was not dealt yet is not worth it
    pool.error = None
    assert search.launch(batches(7), None).result().soft_nonces.tolist() == [7]


def test_one_launch_too_many() -> None:
    search = search_of(SlowPool(2), launches=1)
    launch = search.launch(batches(0), None)
    with pytest.raises(DeviceError, match="1 launches are under way"):
        search.launch(batches(1), None)
    launch.result()
    search.launch(batches(1), None)
