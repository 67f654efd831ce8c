"""The order of device operations, as a real device sees them."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest

from packetcrypt.engine.known_answers import KnownJob, known_jobs
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.search_pipeline import Searched, SearchPipeline, SearchRange
from packetcrypt.engine.selftest import soft_nonces_of
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.kernels.opencl.backend import OpenCLKernels
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.primitives import h32

SMALLEST = LaunchSize(quantum=32, largest=32)


class WatchedKernels(AnnouncementKernels):
    """A device that refuses what the interface forbids, and writes down what it is asked."""

    def __init__(self, real: AnnouncementKernels) -> None:
        self._real = real
        self.jobs_a_preparation = real.jobs_a_preparation
        self.max_launch = real.max_launch
        self.launch_quantum = real.launch_quantum
        self.launches = real.launches
        self.log: list[tuple[str, int]] = []
        self.in_flight: list[PreparedJob] = []
        self.slots: dict[int, list[PreparedJob]] = {}
        self.invalid_hard_nonces: set[int] = set()

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        raise AssertionError("the pipeline prepares as many jobs together as it may")

    def prepare_many(
        self, jobs: Sequence[AnnouncementJob], slot: int
    ) -> Generator[None, None, list[PreparedJob | ProgramError]]:
        assert 1 <= len(jobs) <= self.jobs_a_preparation
        overwritten = self.slots.pop(slot, [])
        assert not any(job in self.in_flight for job in overwritten), (
            "a table was overwritten while it was read"
        )
        nonces = [job.header.hard_nonce for job in jobs]
        valid = [job for job in jobs if job.header.hard_nonce not in self.invalid_hard_nonces]
        self.log += [("prepare", nonce) for nonce in nonces]
        try:
            prepared = iter((yield from self._real.prepare_many(valid, slot)) if valid else [])
        except GeneratorExit:
            self.log += [("given up", nonce) for nonce in nonces]
            raise
        outcomes = [next(prepared) if job in valid else ProgramError("too long") for job in jobs]
        self.log += [("prepared", nonce) for nonce in nonces]
        self.slots[slot] = [one for one in outcomes if not isinstance(one, ProgramError)]
        return outcomes

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        assert len(self.in_flight) < self.launches, "more launches than there are buffers for"
        assert any(prepared in slot for slot in self.slots.values()), (
            "a job was searched that is no longer there"
        )
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


@dataclass(frozen=True)
class PretendedJob:
    job: AnnouncementJob
    root: bytes = bytes(64)


class PretendedLaunch:
    def result(self) -> FoundAnnouncements:
        return FoundAnnouncements(
            np.empty((0, 1024), np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint32)
        )


class PretendedKernels(AnnouncementKernels):
    """A device that prepares three jobs together, in as many steps, and finds nothing."""

    jobs_a_preparation = 3
    max_launch = 512
    launch_quantum = 512

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        raise NotImplementedError

    def prepare_many(
        self, jobs: Sequence[AnnouncementJob], slot: int
    ) -> Generator[None, None, list[PreparedJob | ProgramError]]:
        for _ in range(3):
            yield
        return [PretendedJob(job) for job in jobs]

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        return PretendedLaunch()

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing was opened."""


@pytest.fixture
def of_three() -> WatchedKernels:
    return WatchedKernels(PretendedKernels())


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


def test_jobs_that_are_prepared_together_are_searched_one_after_another(
    of_three: WatchedKernels, easy_work: AnnouncementWork
) -> None:
    results = landed(SearchPipeline(of_three, ranges(easy_work, 8)))

    assert [(searched.job.header.hard_nonce, searched.job_done) for searched in results] == [
        (nonce, job_done) for nonce in range(8) for job_done in (False, True)
    ]
    assert all(searched.nonces == 512 for searched in results)


def test_a_slot_is_prepared_while_the_jobs_of_the_other_are_searched(
    of_three: WatchedKernels, easy_work: AnnouncementWork
) -> None:
    landed(SearchPipeline(of_three, ranges(easy_work, 9)))

    log = of_three.log
    assert ("search", 1) in log[log.index(("prepare", 3)) : log.index(("prepared", 5))]
    assert ("search", 2) in log[log.index(("prepared", 5)) :]
    assert ("land", 2) not in log[log.index(("prepare", 6)) :]
    assert ("search", 4) in log[log.index(("prepare", 6)) : log.index(("prepared", 8))]
    assert ("search", 5) in log[log.index(("prepared", 8)) :]


def test_no_more_jobs_are_taken_than_the_slots_hold(
    of_three: WatchedKernels, easy_work: AnnouncementWork
) -> None:
    taken: list[int] = []

    def noted() -> Iterator[SearchRange]:
        for what in ranges(easy_work):
            taken.append(what.job.header.hard_nonce)
            yield what

    with closing(SearchPipeline(of_three, noted()).run()) as steps:
        while ("land", 2) not in of_three.log:
            next(steps)

    assert taken == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "invalid", [{0}, {1}, {2, 3}, {0, 1, 2}, {3, 4, 5}, {6}, set(range(7))], ids=str
)
def test_of_jobs_prepared_together_the_invalid_ones_are_skipped_alone(
    of_three: WatchedKernels, easy_work: AnnouncementWork, invalid: set[int]
) -> None:
    of_three.invalid_hard_nonces = invalid
    skipped: list[int] = []

    results = landed(
        SearchPipeline(
            of_three,
            ranges(easy_work, 7),
            skipped=lambda job, error: skipped.append(job.header.hard_nonce),
        )
    )

    assert skipped == sorted(invalid)
    done = [searched.job.header.hard_nonce for searched in results if searched.job_done]
    assert done == sorted(set(range(7)) - invalid)


def test_stopping_leaves_prepared_jobs_and_gives_up_those_that_are_not(
    of_three: WatchedKernels, usual_work: AnnouncementWork
) -> None:
    stopped = threading.Event()

    for _ in SearchPipeline(of_three, ranges(usual_work), stopped=stopped.is_set).run():
        if len(of_three.in_flight) == of_three.launches and not stopped.is_set():
            stopped.set()
            of_three.log.append(("stop", 0))

    assert of_three.log[of_three.log.index(("stop", 0)) + 1 :] == [
        ("land", 0),
        ("land", 0),
        ("given up", 3),
        ("given up", 4),
        ("given up", 5),
    ]


def test_a_device_that_prepares_two_jobs_together_finds_what_is_known() -> None:
    """The kernels as GPUs get them; three jobs, so that both slots are used, one by half."""
    known = [known_jobs()[number] for number in (0, 1, 0)]
    found: list[npt.NDArray[np.uint8]] = []
    device = cl.get_platforms()[0].get_devices()[0]

    with closing(OpenCLKernels(device, lanes=1, jobs=2)) as kernels:
        wanted = (SearchRange(one.job, one.first, one.last) for one in known)
        pieces: list[npt.NDArray[np.uint8]] = []
        for searched in landed(SearchPipeline(WatchedKernels(kernels), wanted)):
            pieces.append(searched.found.announcements)
            if searched.job_done:
                found.append(np.concatenate(pieces))
                pieces.clear()

    assert [what_is_known_of(one) for one in known] == [
        (tuple(soft_nonces_of(announcements).tolist()), h32(announcements.tobytes()))
        for announcements in found
    ]


def what_is_known_of(job: KnownJob) -> tuple[tuple[int, ...], bytes]:
    return job.soft_nonces, job.announcements_hash
