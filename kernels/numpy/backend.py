"""How this machine's CPU cores make, search and check announcements through NumPy."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.host_cores import usable_cores
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.kernels.numpy.check import check
from packetcrypt.kernels.numpy.search import PreparedTables, SearchCancelled, search
from packetcrypt.kernels.numpy.tables import Task, empty_table, prepare
from packetcrypt.kernels.numpy.workspace import BATCH, Workspace
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError, DeviceError

_LAUNCH_BATCHES = 4
_LEAST_BATCH = 256


class NumpyKernels(AnnouncementKernels):
    """Announcement computations on `threads` threads (default: one for each core we may use).

    All work happens within the calls: `search` returns when it is done, or soon after `cancelled`
    says so; it is polled from the worker threads. About 45 MB a thread, half as much again while a
    job is prepared, and 20 MB for the tables.

    programs : where `check` gets random programs
    """

    def __init__(self, threads: int | None = None, programs: ProgramCache | None = None) -> None:
        if threads is not None and threads < 1:
            raise ConfigError(f"{threads} threads cannot compute anything: give at least 1")
        self._threads = threads or usable_cores()
        self.launch_quantum = BATCH * self._threads
        self.max_launch = _LAUNCH_BATCHES * self.launch_quantum
        self._cancelled: Callable[[], bool] | None = None
        self._programs = programs or ProgramCache()
        self._tables = [empty_table() for _ in range(self.SLOTS)]
        self._workspaces: SimpleQueue[Workspace] = SimpleQueue()
        for _ in range(self._threads):
            self._workspaces.put(Workspace(self._checkpoint))
        self._executor = ThreadPoolExecutor(self._threads, "packetcrypt-numpy")

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        """See `AnnouncementKernels.prepare`."""
        return (yield from prepare(job, self._tables[slot], self._run))

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
        batches = deque(_batches(first, count, self._threads))
        found: list[FoundAnnouncements] = []

        def work(workspace: Workspace) -> None:
            while True:
                try:
                    batch = batches.popleft()
                except IndexError:  # none is left
                    return
                try:
                    found.append(search(workspace, prepared, *batch))
                except SearchCancelled:
                    return

        self._cancelled = cancelled
        try:
            self._run([work] * self._threads)
        finally:
            self._cancelled = None
        return _FinishedSearch(_joined(found))

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        """See `AnnouncementKernels.check`."""
        return check(announcements, parent_hashes, self._programs, self._run)

    def close(self) -> None:
        """See `AnnouncementKernels.close`."""
        self._executor.shutdown()

    def _checkpoint(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise SearchCancelled

    def _run(self, tasks: Iterable[Task]) -> None:
        """Run tasks on the threads; when all have ended, raise what one of them raised."""
        futures = [self._executor.submit(self._with_workspace, task) for task in tasks]
        failures = [future.exception() for future in futures]
        for failure in failures:
            if failure is not None:
                raise failure

    def _with_workspace(self, task: Task) -> None:
        workspace = self._workspaces.get()
        try:
            task(workspace)
        finally:
            self._workspaces.put(workspace)


@dataclass(frozen=True)
class _FinishedSearch:
    """A search that ended before it was returned."""

    found: FoundAnnouncements

    def result(self) -> FoundAnnouncements:
        return self.found


def _batches(first: int, count: int, threads: int) -> list[tuple[int, int]]:
    """Split a range of soft nonces so that all threads have equal shares of it."""
    rounds = -(-count // (BATCH * threads))
    size = max(_LEAST_BATCH, -(-count // max(1, rounds * threads)))
    return [
        (start, min(size, first + count - start)) for start in range(first, first + count, size)
    ]


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
