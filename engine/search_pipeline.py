"""In which order does a device prepare and search jobs, so that it never waits for the host?"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

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
    """A job whose tables are being built in a slot."""

    steps: Generator[None, None, PreparedJob]
    slot: int
    range: SearchRange


class SearchPipeline:
    """Runs ranges through one device: one is searched while the next is prepared in the other slot.

    kernels : the device; driven by the thread that iterates
    ranges  : what to search, in order; asked for one only when a slot is free for it
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
        self._ready: _Search | None = None
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
        """One device operation for the search, and one for the job after it."""
        if self._ready is not None and (self._searching is None or self._searching.submitted):
            self._searching, self._ready = self._ready, None
        searching = self._searching
        searched = None
        if len(self._flights) == self._kernels.launches:
            searched = self._land()
        elif searching is not None and not searching.submitted:
            self._submit(searching)
        elif self._flights:  # finds don't wait for the next job's tables
            searched = self._land()
        self._prepare()
        return searched

    def _idle(self) -> bool:
        return (
            self._exhausted
            and not self._flights
            and self._preparation is None
            and self._ready is None
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
        """One step towards the job after the one being searched."""
        if self._preparation is None:
            self._begin_preparation()
        preparation = self._preparation
        if preparation is None:
            return
        try:
            next(preparation.steps)
        except StopIteration as finished:
            self._preparation = None
            what = preparation.range
            self._ready = _Search(finished.value, preparation.slot, what.first, what.last)
        except ProgramError as error:
            self._preparation = None
            self._skipped(preparation.range.job, error)

    def _begin_preparation(self) -> None:
        if self._ready is not None or self._exhausted:
            return
        slot = 0 if self._searching is None else 1 - self._searching.slot
        if any(flight.search.slot == slot for flight in self._flights):
            return  # preparing would overwrite the tables that this launch reads
        following = next(self._ranges, None)
        if following is None:
            self._exhausted = True
            return
        steps = self._kernels.prepare(following.job, slot)
        self._preparation = _Preparation(steps, slot, following)
