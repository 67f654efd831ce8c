"""In which order does a device prepare and search jobs, so that it never waits for the host?"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import islice

from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ProgramError


@dataclass(frozen=True)
class SearchRange:
    """A job and the soft nonces of it to search: `first` to `last`, both included."""

    job: AnnouncementJob
    first: int
    last: int

    @classmethod
    def whole(cls, job: AnnouncementJob) -> "SearchRange":
        """All soft nonces that validators accept."""
        return cls(job, 0, job.soft_nonce_max)


@dataclass(frozen=True)
class Searched:
    """What a finished launch gave.

    nonces   : how many soft nonces were searched; 0 if the launch was cut short
    job_done : this was the last launch of its job, and not cut short
    """

    job: AnnouncementJob
    found: FoundAnnouncements
    nonces: int
    job_done: bool


@dataclass
class _Search:
    """A prepared job and how far its search was submitted."""

    prepared: PreparedJob
    slot: int
    next_nonce: int
    last: int

    @property
    def submitted(self) -> bool:
        return self.next_nonce > self.last


@dataclass(frozen=True)
class _Flight:
    """A launch under way."""

    launch: SearchLaunch
    search: _Search
    nonces: int
    ends_job: bool
    started: float


@dataclass
class _Preparation:
    """Jobs whose tables are being built in a slot, together."""

    steps: Generator[None, None, list[PreparedJob | ProgramError]]
    slot: int
    ranges: list[SearchRange]


class SearchPipeline:
    """Runs ranges through one device: one is searched while the next is prepared in the other slot.

    Where the device prepares several jobs at a time, a slot holds that many.

    kernels : the device; driven by the thread that iterates
    ranges  : what to search, in order; asked for some only when a slot is free for them
    stopped : polled between device operations; once true, nothing new is begun
    skipped : called for each job that a ProgramError makes impossible
    """

    def __init__(
        self,
        kernels: AnnouncementKernels,
        ranges: Iterator[SearchRange],
        stopped: Callable[[], bool] = lambda: False,
        skipped: Callable[[AnnouncementJob, ProgramError], None] = lambda job, error: None,
        launch_size: LaunchSize | None = None,
    ) -> None:
        self._kernels = kernels
        self._ranges = ranges
        self._stopped = stopped
        self._skipped = skipped
        self._size = launch_size or LaunchSize(kernels.launch_quantum, kernels.max_launch)
        self._flights: deque[_Flight] = deque()
        self._searching: _Search | None = None
        self._ready: deque[_Search] = deque()
        self._preparation: _Preparation | None = None
        self._exhausted = False
        self._last_landing = 0.0

    def run(self) -> Generator[Searched | None, None, None]:
        """Search until the ranges are used up or `stopped`; then collect what is still under way.

        Yields each finished launch, and None after other steps, so that the caller can do what is
        due.
        """
        try:
            while not self._stopped():
                searched = self._advance()
                if searched is None and self._idle():
                    return
                yield searched
            while self._flights:
                yield self._land(cut_short=True)
        finally:
            if self._preparation is not None:
                self._preparation.steps.close()

    def _advance(self) -> Searched | None:
        """One device operation for the search, and one for the jobs after it."""
        if self._ready and (self._searching is None or self._searching.submitted):
            self._searching = self._ready.popleft()
        searching = self._searching
        searched = None
        if len(self._flights) == self._kernels.launches:
            searched = self._land()
        elif searching is not None and not searching.submitted:
            self._submit(searching)
        elif self._flights:  # finds don't wait for the next jobs' tables
            searched = self._land()
        self._prepare()
        return searched

    def _idle(self) -> bool:
        return (
            self._exhausted
            and not self._flights
            and self._preparation is None
            and not self._ready
            and (self._searching is None or self._searching.submitted)
        )

    def _submit(self, search: _Search) -> None:
        nonces = min(self._size.nonces, search.last + 1 - search.next_nonce)
        started = time.monotonic()
        launch = self._kernels.search(search.prepared, search.next_nonce, nonces, self._stopped)
        search.next_nonce += nonces
        self._flights.append(_Flight(launch, search, nonces, search.submitted, started))

    def _land(self, cut_short: bool = False) -> Searched:
        """Wait for the oldest launch."""
        flight = self._flights.popleft()
        found = flight.launch.result()
        now = time.monotonic()
        # The device works in order: this launch had it to itself only since the one before landed.
        seconds = now - max(flight.started, self._last_landing)
        self._last_landing = now
        job = flight.search.prepared.job
        if cut_short or self._stopped():
            # A backend that polls `stopped` may have left the launch early, without telling how
            # early. So nothing of it is counted.
            return Searched(job, found, nonces=0, job_done=False)
        self._size.measured(flight.nonces, seconds)
        return Searched(job, found, flight.nonces, flight.ends_job)

    def _prepare(self) -> None:
        """One step towards the jobs after those in the slot being searched."""
        if self._preparation is None:
            self._begin_preparation()
        preparation = self._preparation
        if preparation is None:
            return
        try:
            next(preparation.steps)
            return
        except StopIteration as finished:
            outcomes: list[PreparedJob | ProgramError] = finished.value
        self._preparation = None
        for what, outcome in zip(preparation.ranges, outcomes, strict=True):
            if isinstance(outcome, ProgramError):
                self._skipped(what.job, outcome)
            else:
                self._ready.append(_Search(outcome, preparation.slot, what.first, what.last))

    def _begin_preparation(self) -> None:
        if self._exhausted:
            return
        slot = 0 if self._searching is None else 1 - self._searching.slot
        unfinished = (*self._ready, *(flight.search for flight in self._flights))
        if any(search.slot == slot for search in unfinished):
            return  # preparing would overwrite tables that launches read, or are yet to read
        ranges = list(islice(self._ranges, self._kernels.jobs_a_preparation))
        if not ranges:
            self._exhausted = True
            return
        steps = self._kernels.prepare_many([what.job for what in ranges], slot)
        self._preparation = _Preparation(steps, slot, ranges)
