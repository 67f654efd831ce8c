"""How several cores make, search and check announcements through NumPy: in a process each.

The processes compute with the same code as backend.py. What they compute lies in shared memory;
this process only says who does what.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    PreparedJob,
    SearchLaunch,
    StageSeconds,
)
from packetcrypt.kernels.numpy.backend import check_launch
from packetcrypt.kernels.numpy.batches import cut
from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.check_shares import shares
from packetcrypt.kernels.numpy.process_pool import ProcessPool
from packetcrypt.kernels.numpy.process_round import ProcessRound
from packetcrypt.kernels.numpy.process_search import ProcessSearch
from packetcrypt.kernels.numpy.shared_rooms import SharedRooms
from packetcrypt.kernels.numpy.worker_messages import (
    CheckShare,
    Command,
    HashLeaves,
    MakeTable,
    SearchBatch,
)
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError

#: Fewer items of a table are not worth a process: with shares of 4096, 2048, 1024, 512 and 256 the
#: whole table took 0.8, 0.9, 1.2, 1.6 and 3.0 s of processor time.
_LEAST_SHARE: Final = 1024
_TREE_MESSAGES: Final = TABLE_SIZE // 2


@dataclass(frozen=True)
class PreparedRoom:
    """A job whose tables lie in the shared room of its slot."""

    job: AnnouncementJob
    root: bytes
    slot: int
    shared: SharedRooms


class NumpyProcessKernels(AnnouncementKernels):
    """Announcement computations in `tuning.work_items` processes, which this object starts.

    Each takes about 120 MB. They end with `close`, with this process, or when this is forgotten.

    tuning : how searches are cut

    Raises `DeviceError` when they do not start, and from then on when one of them is gone.
    """

    def __init__(self, tuning: Tuning) -> None:
        self.launch_quantum = tuning.quantum
        self.max_launch = tuning.max_launch
        self.launches = tuning.launches
        self._batch = tuning.batch
        self._shared = SharedRooms(self.SLOTS)
        try:
            self._pool = ProcessPool(tuning.work_items, self._shared, tuning.batch)
        finally:
            self._shared.close()  # every process has it now
        self._search = ProcessSearch(self._pool, tuning.launches)
        self._blake = Blake2b(_TREE_MESSAGES)
        self._tree_seconds = 0.0

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the worker processes."""
        return self._pool.process_ids

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        """See `AnnouncementKernels.prepare`. The processes go on between the steps."""
        yield from self._by_all(lambda items: HashLeaves(job, slot, items))
        start = time.perf_counter()
        tree = self._shared.rooms[slot].tree
        tree.build(self._blake)  # 12 ms
        self._tree_seconds += time.perf_counter() - start
        root = tree.root
        yield
        yield from self._by_all(lambda items: MakeTable(job, root, slot, items))
        return PreparedRoom(job, root, slot, self._shared)

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        """See `AnnouncementKernels.search`."""
        if not isinstance(prepared, PreparedRoom) or prepared.shared is not self._shared:
            raise DeviceError(
                f"a {type(prepared).__name__} of another device is no job prepared by these NumPy "
                "processes: search it with the kernels that prepared it"
            )
        check_launch(count, self.max_launch)
        batch = partial(SearchBatch, prepared.job, prepared.root, prepared.slot)
        ranges = cut(first, count, self._pool.count, self._batch)
        return self._search.launch([batch(*range) for range in ranges], cancelled)

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        """See `AnnouncementKernels.check`."""
        checked = CheckedAnnouncements(
            results=np.empty(len(announcements), np.uint8),
            work_hashes=np.empty((len(announcements), 32), np.uint8),
            keys=np.empty(len(announcements), np.uint64),
        )
        members = shares(announcements, parent_hashes, self._pool.count)
        work = ProcessRound(
            self._pool,
            [CheckShare(announcements[share], parent_hashes[share]) for share in members],
        )
        while not work.done:
            self._search.wait()
        parts = [part for part in work.results() if isinstance(part, CheckedAnnouncements)]
        for share, part in zip(members, parts, strict=True):
            checked.results[share] = part.results
            checked.work_hashes[share] = part.work_hashes
            checked.keys[share] = part.keys
        return checked

    def stage_seconds(self) -> StageSeconds:
        """See `AnnouncementKernels.stage_seconds`: the wall clock, mean of the processes."""
        mean = self._pool.stage_seconds()
        seconds = replace(mean, tables=mean.tables + self._tree_seconds)
        self._tree_seconds = 0.0
        return seconds

    def close(self) -> None:
        """See `AnnouncementKernels.close`: what is under way is given up."""
        self._pool.close()

    def _by_all(self, command: Callable[[range], Command]) -> Generator[None, None, None]:
        """Have `command` carried out for all items of a table, and yield meanwhile."""
        work = ProcessRound(self._pool, [command(items) for items in item_shares(self._pool.count)])
        try:
            while not work.done:
                self._search.wait()
                yield
        finally:
            work.give_up()
        work.results()


def item_shares(processes: int) -> list[range]:
    """The items of a table, cut into equal shares for some or all of the processes."""
    count = min(processes, TABLE_SIZE // _LEAST_SHARE)
    bounds = [TABLE_SIZE * number // count for number in range(count + 1)]
    return [range(first, end) for first, end in pairwise(bounds)]
