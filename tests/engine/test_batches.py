"""The queue of batches: order, bound, end."""

import threading

import numpy as np
import pytest

from packetcrypt.engine.batches import AnnouncementBatch, BatchQueue
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.protocol.errors import DeviceError

WORK = AnnouncementWork(parent_hash=bytes(32), parent_height=1, work_bits=0x2001FFFF)


def batch(number: int, size: int = 10) -> AnnouncementBatch:
    return AnnouncementBatch(
        np.full((size, 1024), number, np.uint8), np.full(size, number, np.uint64), WORK, "0:0"
    )


@pytest.fixture
def dropped() -> list[AnnouncementBatch]:
    return []


@pytest.fixture
def queue(dropped: list[AnnouncementBatch]) -> BatchQueue:
    return BatchQueue(limit=30, dropped=dropped.append)


def test_batches_come_out_in_their_order(queue: BatchQueue) -> None:
    batches = [batch(number) for number in range(3)]
    for one in batches:
        queue.put(one)

    assert [queue.get(0) for _ in range(4)] == [*batches, None]


def test_a_full_queue_drops_the_oldest_and_says_so(
    queue: BatchQueue, dropped: list[AnnouncementBatch]
) -> None:
    batches = [batch(number) for number in range(5)]
    for one in batches:
        queue.put(one)

    assert dropped == batches[:2]
    assert queue.drain() == batches[2:]


def test_what_is_taken_makes_room(queue: BatchQueue, dropped: list[AnnouncementBatch]) -> None:
    for number in range(9):
        queue.put(batch(number))
        queue.get(0)

    assert dropped == []


def test_the_newest_batch_stays_even_if_it_is_larger_than_the_limit(
    queue: BatchQueue, dropped: list[AnnouncementBatch]
) -> None:
    small, large = batch(0), batch(1, size=31)
    queue.put(small)
    queue.put(large)

    assert dropped == [small]
    assert queue.get(0) is large


def test_a_closed_queue_gives_what_it_holds_and_then_none(queue: BatchQueue) -> None:
    last = batch(0)
    queue.put(last)
    queue.close()

    assert queue.get() is last
    assert queue.get() is None


def test_a_failed_queue_gives_what_it_holds_and_then_raises(queue: BatchQueue) -> None:
    last = batch(0)
    queue.put(last)
    queue.fail(DeviceError("all devices failed"))

    assert queue.get() is last
    with pytest.raises(DeviceError, match="all devices failed"):
        queue.get()


@pytest.mark.parametrize("end", ["put", "close"])
def test_a_waiting_taker_is_woken(queue: BatchQueue, end: str) -> None:
    taken: list[AnnouncementBatch | None] = []
    taker = threading.Thread(target=lambda: taken.append(queue.get()))
    taker.start()

    new = batch(0)
    if end == "put":
        queue.put(new)
    else:
        queue.close()
    taker.join(10)

    assert taken == [new if end == "put" else None]
