"""How one core makes, searches and checks announcements through NumPy."""

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
from packetcrypt.kernels.numpy.batches import cut, joined
from packetcrypt.kernels.numpy.check import check
from packetcrypt.kernels.numpy.search import PreparedTables, SearchCancelled, search
from packetcrypt.kernels.numpy.tables import JobRoom, prepare
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError


class NumpyKernels(AnnouncementKernels):
    """Announcement computations in the thread that calls; process_backend.py is for more cores.

    All work happens within the calls: `search` returns when it is done, or soon after `cancelled`
    says so. About 45 MB, half as much again while a job is prepared, and 20 MB for the tables.

    programs : where `check` gets random programs
    tuning   : how searches are cut
    """

    def __init__(self, programs: ProgramCache | None = None, tuning: Tuning | None = None) -> None:
        tuning = tuning or Tuning.for_numpy(1)
        self._batch = self.launch_quantum = tuning.batch
        self.max_launch = tuning.batch * tuning.rounds
        self.launches = tuning.launches
        self._cancelled: Callable[[], bool] | None = None
        self._workspace = Workspace(self._checkpoint, tuning.batch)
        self._table_seconds = self._search_seconds = 0.0
        self._programs = programs or ProgramCache()
        self._rooms = [JobRoom() for _ in range(self.SLOTS)]

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        """See `AnnouncementKernels.prepare`."""
        steps = prepare(job, self._rooms[slot], self._workspace)
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
        check_launch(count, self.max_launch)
        start = time.perf_counter()
        found: list[FoundAnnouncements] = []
        self._cancelled = cancelled
        try:
            for batch in cut(first, count, 1, self._batch):
                found.append(search(self._workspace, prepared, *batch))
        except SearchCancelled:
            pass  # what was found before is good
        finally:
            self._cancelled = None
        self._search_seconds += time.perf_counter() - start
        return _FinishedSearch(joined(found))

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        """See `AnnouncementKernels.check`."""
        return check(announcements, parent_hashes, self._programs, self._workspace.run)

    def stage_seconds(self) -> StageSeconds:
        """See `AnnouncementKernels.stage_seconds`: the wall clock."""
        finishing = self._workspace.finishing_seconds
        seconds = StageSeconds(self._table_seconds, self._search_seconds - finishing, finishing)
        self._table_seconds = self._search_seconds = self._workspace.finishing_seconds = 0.0
        return seconds

    def close(self) -> None:
        """See `AnnouncementKernels.close`: there is nothing under way."""

    def _checkpoint(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise SearchCancelled


def check_launch(count: int, limit: int) -> None:
    """Refuse a launch of more soft nonces than kernels take."""
    if count > limit:
        raise DeviceError(
            f"a launch of {count} soft nonces is over the limit of {limit}: "
            "search them in several launches"
        )


@dataclass(frozen=True)
class _FinishedSearch:
    """A search that ended before it was returned."""

    found: FoundAnnouncements

    def result(self) -> FoundAnnouncements:
        return self.found
