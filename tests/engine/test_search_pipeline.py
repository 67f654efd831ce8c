"""The order of device operations, as a real device sees them."""

import threading
from collections.abc import Callable, Generator, Iterator
from itertools import count

import numpy as np
import numpy.typing as npt
import pytest

from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.search_pipeline import Searched, SearchPipeline, SearchRange
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ProgramError

SMALLEST = LaunchSize(quantum=32, largest=32)


class WatchedKernels(AnnouncementKernels):
    """A real device that refuses what the interface forbids, and writes down what it is asked."""

    def __init__(self, real: AnnouncementKernels) -> None:
        self._real = real
        self.max_launch = real.max_launch
        self.launch_quantum = real.launch_quantum
        self.launches = real.launches
        self.log: list[tuple[str, int]] = []
        self.in_flight: list[PreparedJob] = []
        self.slots: dict[int, PreparedJob] = {}
        self.invalid_hard_nonces: set[int] = set()

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        overwritten = self.slots.pop(slot, None)
        assert overwritten not in self.in_flight, "a table was overwritten while it was read"
        nonce = job.header.hard_nonce
        if nonce in self.invalid_hard_nonces:
            self.log.append(("invalid", nonce))
            raise ProgramError("too long")
        self.log.append(("prepare", nonce))
        steps = self._real.prepare(job, slot)
        try:
            prepared = yield from steps
        except GeneratorExit:
            self.log.append(("given up", nonce))
            raise
        self.log.append(("prepared", nonce))
        self.slots[slot] = prepared
        return prepared

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        assert len(self.in_flight) < self.launches, "more launches than there are buffers for"
        assert prepared in self.slots.values(), "a job was searched that is no longer there"
        self.in_flight.append(prepared)
        self.log.append(("search", prepared.job.header.hard_nonce))
        return WatchedLaunch(self, self._real.search(prepared, first, count, cancelled))

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        return self._real.check(announcements, parent_hashes)

    def close(self) -> None:
        """The fixture closes the real device."""


class WatchedLaunch:
    def __init__(self, kernels: WatchedKernels, real: SearchLaunch) -> None:
        self._kernels = kernels
        self._real = real

    def result(self) -> FoundAnnouncements:
        self._kernels.log.append(("land", self._kernels.in_flight[0].job.header.hard_nonce))
        found = self._real.result()
        self._kernels.in_flight.pop(0)
        return found


@pytest.fixture
def watched(pocl_kernels: AnnouncementKernels) -> WatchedKernels:
    return WatchedKernels(pocl_kernels)


def ranges(work: AnnouncementWork, jobs: int | None = None) -> Iterator[SearchRange]:
    numbers = count() if jobs is None else range(jobs)
    return (SearchRange.whole(work.job(number)) for number in numbers)


def short_ranges(work: AnnouncementWork, jobs: int) -> Iterator[SearchRange]:
    """The beginnings of jobs, in which there are more launches than steps of preparing."""
    return (SearchRange(work.job(number), 0, 256 * 32 - 1) for number in range(jobs))


def landed(pipeline: SearchPipeline) -> list[Searched]:
    return [searched for searched in pipeline.run() if searched is not None]


def test_every_nonce_of_every_job_is_searched_once(
    watched: WatchedKernels, easy_work: AnnouncementWork
) -> None:
    results = landed(SearchPipeline(watched, ranges(easy_work, 4)))

    nonces = dict.fromkeys(range(4), 0)
    for searched in results:
        nonces[searched.job.header.hard_nonce] += searched.nonces
    assert nonces == {0: 1024, 1: 1024, 2: 1024, 3: 1024}
    assert sum(searched.job_done for searched in results) == 4
    assert watched.in_flight == []


def test_the_next_job_is_prepared_while_one_is_searched(
    watched: WatchedKernels, usual_work: AnnouncementWork
) -> None:
    landed(SearchPipeline(watched, short_ranges(usual_work, 2), launch_size=SMALLEST))

    began = watched.log.index(("prepare", 1))
    ended = watched.log.index(("prepared", 1))
    assert watched.log.index(("search", 0)) < ended
    assert ("search", 0) in watched.log[began:ended]


def test_two_launches_are_in_flight_across_jobs(
    watched: WatchedKernels, usual_work: AnnouncementWork
) -> None:
    landed(SearchPipeline(watched, short_ranges(usual_work, 2), launch_size=SMALLEST))

    first_of_job_1 = watched.log.index(("search", 1))
    last_of_job_0 = len(watched.log) - 1 - watched.log[::-1].index(("land", 0))
    assert first_of_job_1 < last_of_job_0


def test_an_invalid_job_is_skipped_and_reported(
    watched: WatchedKernels, easy_work: AnnouncementWork
) -> None:
    watched.invalid_hard_nonces = {0, 2}
    skipped: list[int] = []

    results = landed(
        SearchPipeline(
            watched,
            ranges(easy_work, 4),
            skipped=lambda job, error: skipped.append(job.header.hard_nonce),
        )
    )

    assert skipped == [0, 2]
    assert {searched.job.header.hard_nonce for searched in results} == {1, 3}


def test_stopping_gives_up_the_next_job_and_lands_what_flies(
    watched: WatchedKernels, usual_work: AnnouncementWork
) -> None:
    stopped = threading.Event()
    after_stop: list[Searched | None] = []

    for searched in SearchPipeline(watched, ranges(usual_work), stopped=stopped.is_set).run():
        if stopped.is_set():
            after_stop.append(searched)
        elif len(watched.in_flight) == watched.launches and ("prepare", 1) in watched.log:
            stopped.set()
            watched.log.append(("stop", 0))

    operations = [operation for operation, _ in watched.log[watched.log.index(("stop", 0)) + 1 :]]
    assert operations == ["land", "land", "given up"]
    assert len(after_stop) == 2
    assert watched.in_flight == []


def test_launches_cut_short_are_not_counted(
    watched: WatchedKernels, usual_work: AnnouncementWork
) -> None:
    full = threading.Event()
    counted = []

    for searched in SearchPipeline(watched, ranges(usual_work), stopped=full.is_set).run():
        if full.is_set():
            counted.append((searched.nonces, searched.job_done))
        elif len(watched.in_flight) == watched.launches:
            full.set()

    assert counted == [(0, False)] * 2
