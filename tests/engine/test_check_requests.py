"""Requests on their way to devices: their order, which go together, what failures do to them."""

import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from packetcrypt.engine import check_requests
from packetcrypt.engine.check_requests import (
    TOGETHER,
    CheckerOverloaded,
    CheckRequest,
    CheckRequests,
)
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.protocol.errors import DeviceError

CLOSED = DeviceError("closed")


def request(announcements: int) -> CheckRequest:
    return CheckRequest(
        np.zeros((announcements, 1024), np.uint8), np.zeros((announcements, 32), np.uint8)
    )


def queue_of(sizes: list[int], workers: int = 1) -> tuple[CheckRequests, list[CheckRequest]]:
    queue = CheckRequests(workers)
    waiting = [request(size) for size in sizes]
    for one in waiting:
        queue.put(one)
    return queue, waiting


def sizes_of(taken: list[CheckRequest]) -> list[int]:
    return [len(one.announcements) for one in taken]


@pytest.mark.parametrize(
    ("waiting", "taken"),
    [
        ([1], [1]),
        ([0], [0]),
        ([8, 1, 8], [8, 1, 8]),
        ([8, 0, 8], [8, 0, 8]),
        ([TOGETHER], [TOGETHER]),
        ([TOGETHER + 1], [TOGETHER + 1]),
        ([TOGETHER + 1, 1], [TOGETHER + 1]),
        ([1, TOGETHER], [1]),
        ([1, TOGETHER, 1], [1]),
        ([1000, 1048, 1], [1000, 1048]),
        ([1000, 1049, 1], [1000]),
    ],
    ids=str,
)
def test_what_waits_goes_together_in_order(waiting: list[int], taken: list[int]) -> None:
    queue, requests = queue_of(waiting)

    assert sizes_of(queue.take()) == taken
    left = requests[len(taken) :]
    assert [queue.take()[0] for _ in left[:1]] == left[:1]


@pytest.mark.parametrize(
    ("workers", "waiting", "taken"),
    [
        (2, [8, 8], [8]),
        (2, [8, 8, 8, 8], [8, 8]),
        (2, [8], [8]),
        (3, [1, 1, 1, 1], [1, 1]),
        (2, [30, 1, 1], [30]),
        (2, [TOGETHER] * 4, [TOGETHER]),
    ],
    ids=str,
)
def test_several_devices_share_what_waits(
    workers: int, waiting: list[int], taken: list[int]
) -> None:
    queue, _ = queue_of(waiting, workers)

    assert sizes_of(queue.take()) == taken


def test_how_many_devices_are_left() -> None:
    queue = CheckRequests(workers=3)
    left = [queue.workers]
    for _ in range(3):
        queue.worker_failed(DeviceError("device lost"))
        left.append(queue.workers)

    assert left == [3, 2, 1, 0]


def test_of_a_closed_checker_none_is_left() -> None:
    queue = CheckRequests(workers=3)
    queue.end(CLOSED)

    assert queue.workers == 0


def test_a_device_that_is_gone_has_no_share() -> None:
    queue, requests = queue_of([8, 8], workers=2)

    queue.worker_failed(DeviceError("device lost"))

    assert queue.take() == requests


def test_cancelled_requests_are_passed_over() -> None:
    queue, requests = queue_of([8, 7, 6, 5])
    assert requests[0].future.cancel()
    assert requests[2].future.cancel()

    assert sizes_of(queue.take()) == [7, 5]


def test_one_that_is_taken_cannot_be_cancelled_and_one_that_waits_can() -> None:
    queue, (taken, waiting) = queue_of([TOGETHER, 1])

    queue.take()

    assert not taken.future.cancel()
    assert waiting.future.cancel()


def test_when_all_are_cancelled_the_next_is_waited_for() -> None:
    queue, (cancelled,) = queue_of([8])
    cancelled.future.cancel()
    taken: list[list[CheckRequest]] = []
    taker = threading.Thread(target=lambda: taken.append(queue.take()))
    taker.start()

    queue.put(request(5))

    taker.join()
    assert [sizes_of(one) for one in taken] == [[5]]


def test_what_is_given_back_is_taken_one_by_one_and_first() -> None:
    queue, _ = queue_of([1, 2, 3])
    together = queue.take()
    queue.put(request(4))
    queue.put(request(5))

    queue.give_back(together)

    assert [sizes_of(queue.take()) for _ in range(4)] == [[1], [2], [3], [4, 5]]


def test_what_is_given_back_keeps_its_future() -> None:
    queue, requests = queue_of([1, 2])
    queue.give_back(queue.take())

    assert [queue.take()[0].future for _ in requests] == [one.future for one in requests]


def test_others_do_not_go_with_one_that_was_given_back() -> None:
    queue, _ = queue_of([1, 2])
    together = queue.take()
    queue.put(request(3))
    queue.give_back(together[:1])
    queue.give_back(together[1:])

    assert [sizes_of(queue.take()) for _ in range(3)] == [[2], [1], [3]]


@pytest.mark.parametrize("ended_first", [True, False])
def test_the_end_fails_what_is_given_back(ended_first: bool) -> None:
    queue, requests = queue_of([1, 2])
    together = queue.take()
    if ended_first:
        queue.end(CLOSED)

    queue.give_back(together)
    queue.end(CLOSED)

    assert [one.future.exception(timeout=0) for one in requests] == [CLOSED, CLOSED]


def test_the_end_fails_what_waits_but_not_what_was_cancelled_or_taken() -> None:
    queue, (taken, cancelled, waiting) = queue_of([TOGETHER, 1, 1])
    queue.take()
    cancelled.future.cancel()

    queue.end(CLOSED)

    assert not taken.future.done()
    with pytest.raises(CancelledError):
        cancelled.future.result(timeout=0)
    assert waiting.future.exception(timeout=0) is CLOSED
    assert queue.take() == []
    with pytest.raises(DeviceError, match="closed"):
        queue.put(request(1))


def test_a_full_queue_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_requests, "QUEUE_LIMIT", 2)
    queue, _ = queue_of([1, 1])

    with pytest.raises(CheckerOverloaded, match="2 requests are waiting"):
        queue.put(request(1))

    queue.take()
    queue.put(request(1))


def test_an_asker_who_is_answered_is_not_failed_at_the_end() -> None:
    queue, (answered,) = queue_of([1])
    verdicts = CheckedAnnouncements(
        np.zeros(1, np.uint8), np.zeros((1, 32), np.uint8), np.zeros(1, np.uint64)
    )
    queue.take()[0].future.set_result(verdicts)

    queue.end(CLOSED)

    assert answered.future.result(timeout=0) is verdicts
