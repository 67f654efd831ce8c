"""Orders: how workers get the latest one."""

import threading

from packetcrypt.engine.assignment import Assignment, Order
from packetcrypt.engine.work import AnnouncementWork

WORK = AnnouncementWork(parent_hash=bytes(32), parent_height=1, work_bits=0x2001FFFF)
SAME_WORK = AnnouncementWork(parent_hash=bytes(32), parent_height=1, work_bits=0x2001FFFF)
OTHER_WORK = AnnouncementWork(parent_hash=bytes(32), parent_height=2, work_bits=0x2001FFFF)


def test_it_begins_with_a_pause() -> None:
    assert Assignment().current == Order(work=None, closed=False)


def test_a_sleeping_worker_is_woken_by_an_order() -> None:
    assignment = Assignment()
    orders: list[Order] = []
    known = assignment.current
    worker = threading.Thread(target=lambda: orders.append(assignment.wait_for_change(known)))
    worker.start()

    assignment.give(Order(WORK))
    worker.join(10)

    assert orders == [Order(WORK)]


def test_the_same_work_again_interrupts_nobody() -> None:
    assignment = Assignment()
    assignment.give(Order(WORK))
    order = assignment.current

    assignment.give(Order(SAME_WORK))
    assert assignment.current is order

    assignment.give(Order(OTHER_WORK))
    assert assignment.current is not order


def test_nothing_follows_the_end() -> None:
    assignment = Assignment()
    assignment.give(Order(closed=True))

    assignment.give(Order(WORK))

    assert assignment.current.closed
