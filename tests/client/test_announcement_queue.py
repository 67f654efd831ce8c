"""Announcements wait in order, and the oldest give way."""

import threading

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.client.announcement_queue import AnnouncementQueue


def _numbered(first: int, count: int) -> npt.NDArray[np.uint8]:
    announcements = np.zeros((count, 1024), np.uint8)
    announcements[:, 0] = np.arange(first, first + count)
    return announcements


def _numbers(announcements: npt.NDArray[np.uint8]) -> list[int]:
    assert announcements.shape[1:] == (1024,)
    return [int(number) for number in announcements[:, 0]]


def test_they_leave_in_the_order_in_which_they_came() -> None:
    queue = AnnouncementQueue(10)
    queue.put(_numbered(0, 3))
    queue.put(_numbered(3, 4))

    assert _numbers(queue.take(2)) == [0, 1]
    assert _numbers(queue.take(3)) == [2, 3, 4]
    assert len(queue) == 2
    assert _numbers(queue.take(9)) == [5, 6]
    assert _numbers(queue.take(9)) == []


def test_the_oldest_give_way() -> None:
    queue = AnnouncementQueue(5)
    queue.put(_numbered(0, 3))
    queue.put(_numbered(3, 4))

    assert (queue.dropped, len(queue)) == (2, 5)
    assert _numbers(queue.take(9)) == [2, 3, 4, 5, 6]


def test_of_more_than_it_holds_the_newest_stay() -> None:
    queue = AnnouncementQueue(5)
    queue.put(_numbered(0, 2))
    queue.put(_numbered(2, 8))

    assert queue.dropped == 5
    assert _numbers(queue.take(9)) == [5, 6, 7, 8, 9]


@given(st.integers(1, 20), st.lists(st.integers(-9, 9), max_size=25))
def test_it_is_a_bounded_list(capacity: int, steps: list[int]) -> None:
    queue = AnnouncementQueue(capacity)
    model: list[int] = []
    put = dropped = 0
    for step in steps:
        if step > 0:
            queue.put(_numbered(put, step))
            model += range(put, put + step)
            put += step
            dropped += max(0, len(model) - capacity)
            model = model[-capacity:]
        else:
            assert _numbers(queue.take(-step)) == model[:-step]
            model = model[-step:]
        assert (len(queue), queue.dropped) == (len(model), dropped)


@pytest.mark.parametrize("timeout", [0.0, -1.0, 0.01])
def test_waiting_ends_after_its_time(timeout: float) -> None:
    assert AnnouncementQueue(5).get(9, timeout).shape == (0, 1024)


def test_whoever_waits_is_woken() -> None:
    queue = AnnouncementQueue(5)
    threading.Timer(0.05, queue.put, [_numbered(7, 1)]).start()

    assert _numbers(queue.get(9)) == [7]


def test_closing_ends_waiting_but_loses_nothing() -> None:
    queue = AnnouncementQueue(5)
    threading.Timer(0.05, queue.close).start()
    assert _numbers(queue.get(9)) == []

    queue.put(_numbered(7, 1))
    assert _numbers(queue.get(9)) == [7]
