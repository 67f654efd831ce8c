"""When announcements leave their device: put together, held, released, withheld."""

import queue

import numpy as np
import pytest

from packetcrypt.engine.batches import BatchQueue
from packetcrypt.engine.device_info import numpy_device
from packetcrypt.engine.outlet import FULL, Outlet
from packetcrypt.engine.recheck import RecheckBudget, Sample
from packetcrypt.engine.statistics import DeviceCounters
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError

DEVICE = numpy_device()
WORK = AnnouncementWork(parent_hash=bytes(32), parent_height=1, work_bits=0x2001FFFF)
NEXT_WORK = AnnouncementWork(parent_hash=bytes(32), parent_height=2, work_bits=0x2001FFFF)


def found(number: int, size: int = 10) -> FoundAnnouncements:
    return FoundAnnouncements(
        np.full((size, 1024), number, np.uint8),
        np.full(size, number, np.uint64),
        np.arange(size, dtype=np.uint32),
    )


class Desk:
    """An outlet whose samples wait here until the test gives the verdict."""

    def __init__(self) -> None:
        self.now = 0.0
        self.budget = RecheckBudget(clock=lambda: self.now)
        self.samples: queue.SimpleQueue[Sample] = queue.SimpleQueue()
        self.counters = DeviceCounters(DEVICE)
        self.queue = BatchQueue(1 << 16, lambda batch: None)
        self.failures: list[DeviceError] = []
        self.outlet = Outlet(DEVICE, self.queue, self, self.counters, hold_limit=1 << 16)
        self.outlet.on_distrust(self.failures.append)

    def submit(self, sample: Sample) -> None:
        self.samples.put(sample)

    def verdict(self, problem: str | None) -> None:
        self.budget.spend(0.05)
        self.samples.get_nowait().verdict(problem)

    def add(
        self,
        number: int,
        size: int = 10,
        work: AnnouncementWork = WORK,
        job: AnnouncementJob | None = None,
    ) -> None:
        """A launch found `size` announcements, in a job of its own if none is given."""
        self.outlet.add(work, job or work.job(number), found(number, size))

    def send(self, number: int, job: AnnouncementJob | None = None) -> None:
        self.add(number, job=job)
        self.outlet.flush()

    def delivered(self) -> list[int]:
        return [int(batch.keys[0]) for batch in self.queue.drain()]


@pytest.fixture
def desk() -> Desk:
    """A fresh outlet: its first batch is sampled."""
    return Desk()


@pytest.fixture
def trusted(desk: Desk) -> Desk:
    """An outlet whose first batch was good."""
    desk.send(0)
    desk.verdict(None)
    assert desk.delivered() == [0]
    return desk


def test_the_first_batch_and_those_after_it_wait_for_the_first_verdict(desk: Desk) -> None:
    for number in range(3):
        desk.send(number)
    assert desk.delivered() == []

    desk.verdict(None)

    assert desk.delivered() == [0, 1, 2]
    assert desk.samples.empty()
    assert desk.counters.snapshot().rechecked == 1


def test_a_bad_verdict_withholds_everything_held_and_everything_later(desk: Desk) -> None:
    desk.send(0)
    desk.send(1)
    desk.verdict("it is INVAL")
    desk.send(2)

    assert desk.delivered() == []
    assert desk.counters.snapshot().withheld == 30
    (failure,) = desk.failures
    assert "computes wrong announcements: it is INVAL" in str(failure)
    assert DEVICE.name in str(failure)


def test_between_samples_batches_leave_at_once(trusted: Desk) -> None:
    trusted.send(1)

    assert trusted.delivered() == [1]


def test_a_later_sample_is_taken_when_the_budget_allows(trusted: Desk) -> None:
    trusted.now += 10
    trusted.send(1)
    trusted.send(2)
    assert trusted.delivered() == []

    trusted.verdict("it is INVAL")

    assert trusted.delivered() == []
    assert trusted.counters.snapshot().withheld == 20


def test_a_sample_is_an_announcement_of_its_batch(desk: Desk) -> None:
    desk.send(7)

    sample = desk.samples.get_nowait()

    assert sample.announcement == bytes([7]) * 1024
    assert sample.key == 7
    assert sample.work is WORK


def test_a_job_is_not_sampled_once_a_part_of_it_has_left(trusted: Desk) -> None:
    job = WORK.job(5)
    trusted.send(1, job)
    trusted.now += 10
    trusted.send(2, job)
    trusted.send(3, job)

    assert trusted.delivered() == [1, 2, 3]
    assert trusted.samples.empty()

    trusted.send(4)
    assert trusted.samples.get_nowait().key == 4


def test_a_sample_passes_over_the_rest_of_an_earlier_job(trusted: Desk) -> None:
    job = WORK.job(5)
    trusted.send(1, job)
    trusted.now += 10
    trusted.add(2, size=1000, job=job)
    trusted.add(3, size=1)
    trusted.outlet.flush()

    assert trusted.samples.get_nowait().key == 3


def test_small_finds_are_put_together(trusted: Desk) -> None:
    trusted.add(1)
    trusted.add(2)
    trusted.outlet.flush_if_due()
    assert trusted.delivered() == []

    trusted.outlet.flush()

    (batch,) = trusted.queue.drain()
    assert batch.keys.tolist() == [1] * 10 + [2] * 10
    assert batch.announcements[:, 0].tolist() == [1] * 10 + [2] * 10


def test_a_full_batch_does_not_wait(trusted: Desk) -> None:
    trusted.add(1, size=FULL)
    trusted.outlet.flush_if_due()

    assert trusted.delivered() == [1]


def test_new_work_begins_a_new_batch(trusted: Desk) -> None:
    trusted.add(1)
    trusted.add(2, work=NEXT_WORK)
    trusted.outlet.flush()

    assert [batch.work for batch in trusted.queue.drain()] == [WORK, NEXT_WORK]


def test_finding_nothing_sends_nothing(desk: Desk) -> None:
    desk.add(0, size=0)
    desk.outlet.flush()

    assert desk.delivered() == []
    assert desk.samples.empty()
