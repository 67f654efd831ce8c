"""How this machine's CPU cores make, search and check announcements through NumPy."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
    StageSeconds,
)
from packetcrypt.kernels.numpy.check import check
from packetcrypt.kernels.numpy.search import PreparedTables, search
from packetcrypt.kernels.numpy.tables import empty_table, prepare
from packetcrypt.kernels.numpy.threads import Threads, thread_count
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError


class NumpyKernels(AnnouncementKernels):
    """Announcement computations on `threads` threads (default: one for each core we may use).

    All work happens within the calls: `search` returns when it is done, or soon after `cancelled`
    says so; it is polled from the worker threads. About 45 MB a thread, half as much again while a
    job is prepared, and 20 MB for the tables.

    programs : where `check` gets random programs
    tuning   : how searches are cut, with the number of threads in the place of `threads`
    """

    def __init__(
        self,
        threads: int | None = None,
        programs: ProgramCache | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        tuning = tuning or Tuning.for_numpy(thread_count(threads))
        self._threads = Threads(tuning.work_items, tuning.batch)
        self.launch_quantum = tuning.quantum
        self.max_launch = tuning.max_launch
        self.launches = tuning.launches
        self._table_seconds = self._search_seconds = 0.0
        self._programs = programs or ProgramCache()
        self._tables = [empty_table() for _ in range(self.SLOTS)]

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        """See `AnnouncementKernels.prepare`."""
        steps = prepare(job, self._tables[slot], self._threads.run)
        while True:
            start = time.perf_counter()
            try:
                next(steps)
            except StopIteration as finished:
                prepared: PreparedTables = finished.value
                return prepared
            finally:
                self._table_seconds += time.perf_counter() - start
            yield

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        """See `AnnouncementKernels.search`."""
        if not isinstance(prepared, PreparedTables):
            raise DeviceError(
                f"a {type(prepared).__name__} is no job prepared by NumPy: "
                "search it with the kernels that prepared it"
            )
        if count > self.max_launch:
            raise DeviceError(
                f"a launch of {count} soft nonces is over the limit of {self.max_launch}: "
                "search them in several launches"
            )

        def search_batch(workspace: Workspace, first: int, count: int) -> FoundAnnouncements:
            return search(workspace, prepared, first, count)

        start = time.perf_counter()
        found = self._threads.search(first, count, search_batch, cancelled)
        self._search_seconds += time.perf_counter() - start
        return _FinishedSearch(_joined(found))

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        """See `AnnouncementKernels.check`."""
        return check(announcements, parent_hashes, self._programs, self._threads.run)

    def stage_seconds(self) -> StageSeconds:
        """See `AnnouncementKernels.stage_seconds`: the wall clock; finishing is spread evenly."""
        finishing = sum(space.finishing_seconds for space in self._threads.workspaces)
        finishing /= self._threads.count
        seconds = StageSeconds(self._table_seconds, self._search_seconds - finishing, finishing)
        self._table_seconds = self._search_seconds = 0.0
        for space in self._threads.workspaces:
            space.finishing_seconds = 0.0
        return seconds

    def close(self) -> None:
        """See `AnnouncementKernels.close`."""
        self._threads.close()


@dataclass(frozen=True)
class _FinishedSearch:
    """A search that ended before it was returned."""

    found: FoundAnnouncements

    def result(self) -> FoundAnnouncements:
        return self.found


def _joined(found: list[FoundAnnouncements]) -> FoundAnnouncements:
    """What the batches found, in order, as one."""
    found = sorted((part for part in found if len(part.keys)), key=lambda part: part.soft_nonces[0])
    return FoundAnnouncements(
        np.concatenate(
            [np.empty((0, ANNOUNCEMENT_SIZE), np.uint8), *(part.announcements for part in found)]
        ),
        np.concatenate([np.empty(0, np.uint64), *(part.keys for part in found)]),
        np.concatenate([np.empty(0, np.uint32), *(part.soft_nonces for part in found)]),
    )
