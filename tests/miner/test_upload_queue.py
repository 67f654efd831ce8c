"""Dealing, gathering and queueing announcements before they are sent."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.miner.upload_queue import BatchGatherer, UploadBatch, UploadQueue, route


def batch_of(*keys: int, work_number: int = 1) -> UploadBatch:
    """Announcements whose first bytes are their keys, so that mixing them up shows."""
    numbers = np.array(keys, np.uint64)
    announcements = np.zeros((len(keys), 1024), np.uint8)
    announcements[:, :8] = numbers.view(np.uint8).reshape(-1, 8)
    return UploadBatch(announcements, numbers, work_number)


def keys_of(batches: list[UploadBatch]) -> list[list[int]]:
    for batch in batches:
        assert batch.announcements[:, :8].copy().view(np.uint64).ravel().tolist() == (
            batch.keys.tolist()
        )
    return [batch.keys.tolist() for batch in batches]


def test_announcements_go_to_the_handler_of_their_key() -> None:
    parts = route(batch_of(0, 1, 2, 3, 4, 2**64 - 2, work_number=9), 3)
    assert keys_of(parts) == [[0, 3], [1, 4], [2, 2**64 - 2]]
    assert [part.work_number for part in parts] == [9, 9, 9]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(1, 5))
def test_dealing_loses_nothing(keys: list[int], handlers: int) -> None:
    parts = keys_of(route(batch_of(*keys), handlers))
    assert sorted(key for part in parts for key in part) == sorted(keys)
    assert all(key % handlers == number for number, part in enumerate(parts) for key in part)


@given(st.lists(st.integers(0, 2500), max_size=6))
def test_batches_are_full_in_order_and_lose_nothing(sizes: list[int]) -> None:
    gatherer = BatchGatherer()
    complete, start = [], 0
    for size in sizes:
        complete += gatherer.add(batch_of(*range(start, start + size)), now=0.0)
        start += size
    assert [len(batch) for batch in complete] == [1024] * (start // 1024)
    all_keys = [key for keys in keys_of(complete + gatherer.close()) for key in keys]
    assert all_keys == list(range(start))


def test_a_batch_waits_ten_seconds_for_company() -> None:
    gatherer = BatchGatherer()
    gatherer.add(batch_of(1), now=100.0)
    gatherer.add(batch_of(2), now=109.0)
    assert gatherer.close_due(now=109.9) == []
    assert keys_of(gatherer.close_due(now=110.0)) == [[1, 2]]


def test_the_ten_seconds_begin_with_the_first_of_a_batch() -> None:
    gatherer = BatchGatherer()
    gatherer.add(batch_of(*range(1025)), now=100.0)
    gatherer.close()
    gatherer.add(batch_of(1), now=109.0)
    assert gatherer.close_due(now=110.0) == []


def test_nothing_gathered_is_never_due() -> None:
    assert BatchGatherer().close_due(now=1e9) == []


def test_a_batch_has_one_parent_block() -> None:
    gatherer = BatchGatherer()
    gatherer.add(batch_of(1, work_number=1), now=0.0)
    closed = gatherer.add(batch_of(2, work_number=2), now=0.0)
    assert [(batch.work_number, batch.keys.tolist()) for batch in closed] == [(1, [1])]
    assert [batch.work_number for batch in gatherer.close()] == [2]


async def test_the_newest_batch_is_taken_first() -> None:
    queue = UploadQueue()
    for key in (1, 2, 3):
        queue.add(batch_of(key))
    taken = [await queue.take() for _ in range(3)]
    assert keys_of([batch for batch in taken if batch]) == [[3], [2], [1]]


async def test_a_full_queue_drops_its_oldest_batch_and_says_how_many_that_are() -> None:
    queue = UploadQueue(capacity=2)
    assert queue.add(batch_of(1, 2, 3)) == 0
    assert queue.add(batch_of(4)) == 0
    assert queue.add(batch_of(5)) == 3
    assert keys_of(queue.withdraw()) == [[4], [5]]


def test_a_queue_holds_a_hundred_batches() -> None:
    queue = UploadQueue()
    assert [queue.add(batch_of(key)) for key in range(101)] == [0] * 100 + [1]


async def test_takers_wait_for_batches_and_each_batch_has_one_taker() -> None:
    queue = UploadQueue()
    takers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.add(batch_of(1))
    queue.add(batch_of(2))
    queue.close()
    taken = await asyncio.gather(*takers)
    assert sorted(keys_of([batch for batch in taken if batch])) == [[1], [2]]
    assert taken.count(None) == 1


async def test_a_closed_queue_gives_what_is_left() -> None:
    queue = UploadQueue()
    queue.add(batch_of(1))
    queue.close()
    assert await queue.take() is not None
    assert await queue.take() is None


@pytest.mark.parametrize("handlers", [1, 2, 7])
def test_an_empty_batch_can_be_dealt(handlers: int) -> None:
    assert [len(part) for part in route(batch_of(), handlers)] == [0] * handlers
