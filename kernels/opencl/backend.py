"""How the OpenCL kernels make one device of the engine: which run for what, in which order."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    PreparedJob,
    SearchLaunch,
    StageSeconds,
)
from packetcrypt.kernels.opencl.buffers import allocate
from packetcrypt.kernels.opencl.check import AnnouncementChecks
from packetcrypt.kernels.opencl.context import DeviceContext, DeviceTraits
from packetcrypt.kernels.opencl.finish import MOST_FINDS, AnnouncementFinish, LaunchBuffers
from packetcrypt.kernels.opencl.merkle import TREE_STRIDE
from packetcrypt.kernels.opencl.randhash import RandHash
from packetcrypt.kernels.opencl.search import BatchedSearch, NonceSearch
from packetcrypt.kernels.opencl.search_launch import OpenCLLaunch
from packetcrypt.kernels.opencl.staged_search import StagedSearch
from packetcrypt.kernels.opencl.tables import TableBuilder
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement import HEADER_SIZE, TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.cryptocycle import ITEM_SIZE, STATE_SIZE
from packetcrypt.protocol.difficulty import compact_to_target
from packetcrypt.protocol.errors import DeviceError, ProgramError
from packetcrypt.protocol.primitives import expand

_TABLE_BYTES: Final = TABLE_SIZE * ITEM_SIZE


#: Jobs that a GPU prepares together: a table's 8192 items are a fraction of the threads it can run.
_GPU_JOBS_A_PREPARATION: Final = 8


class _SlotGroup:
    """The buffers of jobs that may be prepared together: their tables and trees are neighbours."""

    def __init__(self, context: DeviceContext, jobs: int) -> None:
        self.tables = allocate(context, jobs * _TABLE_BYTES)
        self.trees = allocate(context, jobs * TREE_STRIDE)
        self.slots = [_Slot(context, self, index) for index in range(jobs)]


class _Slot:
    """The device buffers of one prepared job: the index-th of its group."""

    def __init__(self, context: DeviceContext, group: _SlotGroup, index: int) -> None:
        self.table = group.tables.get_sub_region(index * _TABLE_BYTES, _TABLE_BYTES)
        self.tree = group.trees.get_sub_region(index * TREE_STRIDE, TREE_STRIDE)
        self.keystream = allocate(context, STATE_SIZE)
        self.header = allocate(context, HEADER_SIZE)
        #: Copies under way from the host. Dropping one would wait for it.
        self.uploads: list[cl.Event] = []


@dataclass(frozen=True)
class _OpenCLPreparedJob:
    """A job in a slot; `target` is what its hashes must stay below."""

    job: AnnouncementJob
    root: bytes
    target: int
    slot: _Slot = field(repr=False)


class OpenCLKernels(AnnouncementKernels):
    """The announcement computations on one OpenCL device (spec 1 §4).

    tuning  : how searches are cut; by default as it suits the kind of device
    lanes   : overrides the vector width that follows from the kind of device (tests do)
    profile : measure how long the kernels take (`stage_seconds`)
    jobs    : overrides `jobs_a_preparation` (tests do)
    use     : counters of what the device was asked to do

    Raises `DeviceError` if the device cannot be opened or does not compile the kernels.
    """

    def __init__(
        self,
        device: cl.Device,
        tuning: Tuning | None = None,
        *,
        lanes: int | None = None,
        profile: bool = False,
        jobs: int | None = None,
    ) -> None:
        context = DeviceContext(device, lanes=lanes, profile=profile)
        if jobs is None:
            jobs = 1 if context.traits.is_cpu else _GPU_JOBS_A_PREPARATION
        self.jobs_a_preparation = jobs
        tuning = tuning or default_tuning(context.traits)
        self.max_launch = tuning.max_launch
        self.launch_quantum = tuning.quantum
        self.launches = tuning.launches
        self.use = context.use
        self._context = context
        with context.reporting("loading the kernels"):
            # One for both: its kernel takes the longest to compile.
            randhash = RandHash(context)
            self._tables = TableBuilder(context, randhash, jobs)
            self._search = nonce_search(context, tuning)
            self._finish = AnnouncementFinish(context)
            self._checks = AnnouncementChecks(context, randhash)
            # They grow when jobs are prepared together, which programs that only check never do.
            self._groups = [_SlotGroup(context, 1) for _ in range(self.SLOTS)]
            self._free = deque(
                LaunchBuffers(context, min(tuning.max_launch, MOST_FINDS))
                for _ in range(self.launches)
            )

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        """Build tables and tree of `job`, then upload what else the search needs."""
        (prepared,) = yield from self.prepare_many([job], slot)
        if isinstance(prepared, ProgramError):
            raise prepared
        return prepared

    def prepare_many(
        self, jobs: Sequence[AnnouncementJob], slot: int
    ) -> Generator[None, None, list[PreparedJob | ProgramError]]:
        """Prepare at most `jobs_a_preparation` jobs together, in one slot."""
        with self._context.reporting("building a job's tables"):
            group = self._group(slot, len(jobs))
            outcomes = yield from self._tables.prepare(jobs, group.tables, group.trees)
            return [
                outcome if isinstance(outcome, ProgramError) else self._complete(job, outcome, own)
                for job, outcome, own in zip(jobs, outcomes, group.slots, strict=False)
            ]

    def _group(self, slot: int, jobs: int) -> _SlotGroup:
        """The buffers of a slot, which hold at least so many jobs."""
        if len(self._groups[slot].slots) < jobs:
            self._groups[slot] = _SlotGroup(self._context, jobs)
        return self._groups[slot]

    def _complete(self, job: AnnouncementJob, root: bytes, buffers: _Slot) -> PreparedJob:
        """Upload what the search of a job needs besides its table."""
        keystream = np.frombuffer(expand(job.search_seed(root), 0, STATE_SIZE), np.uint8)
        header = np.frombuffer(job.encoded_header, np.uint8)
        buffers.uploads = [
            self._context.copy_to_device(device, host)
            for device, host in ((buffers.keystream, keystream), (buffers.header, header))
        ]
        return _OpenCLPreparedJob(job, root, compact_to_target(job.header.work_bits), buffers)

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        """Enqueue search and finishing. Launches are short, so `cancelled` is not looked at."""
        if not isinstance(prepared, _OpenCLPreparedJob):
            raise DeviceError(
                f"a {type(prepared).__name__} is no job prepared by OpenCL: "
                "search it with the kernels that prepared it"
            )
        if not 0 < count <= self.max_launch:
            raise DeviceError(
                f"a launch searches 1 to {self.max_launch} soft nonces, not {count}: "
                "search a longer range in several launches"
            )
        if not self._free:
            raise DeviceError(
                f"{self.launches} launches are outstanding: call result() of one first"
            )
        enqueue = partial(self._enqueue, prepared)
        nonces = range(first, first + count)
        return OpenCLLaunch(self._context, self._finish, enqueue, nonces, self._free)

    def _enqueue(
        self, prepared: _OpenCLPreparedJob, nonces: range, launch: LaunchBuffers
    ) -> list[cl.Event]:
        slot = prepared.slot
        self._search.enqueue(
            slot.keystream,
            slot.table,
            nonces,
            prepared.target,
            launch.progress,
            launch.finds,
            launch.capacity,
        )
        return self._finish.enqueue(slot.header, slot.tree, launch)

    def check(
        self,
        announcements: npt.NDArray[np.uint8],
        parent_hashes: npt.NDArray[np.uint8],
    ) -> CheckedAnnouncements:
        """Validate announcements (kernels/opencl/check.py)."""
        with self._context.reporting("checking announcements"):
            return self._checks.check(announcements, parent_hashes)

    def stage_seconds(self) -> StageSeconds | None:
        """See `AnnouncementKernels.stage_seconds`: the sums of what the device itself measured."""
        if self.use.profiled is None:
            return None
        by_kernel = self.use.take_profile()
        search = sum(by_kernel.pop(kernel, 0.0) for kernel in self._search.KERNELS)
        finishing = by_kernel.pop("announcement_finish", 0.0)
        return StageSeconds(tables=sum(by_kernel.values()), search=search, finishing=finishing)

    def close(self) -> None:
        """Wait for what is under way and let go of the buffers."""
        self._context.close()
        self._groups.clear()
        self._free.clear()


def default_tuning(traits: DeviceTraits) -> Tuning:
    """What suits a device of this kind."""
    if traits.lanes > 1:
        return Tuning.for_opencl_cpu(traits.compute_units)
    return Tuning.for_gpu(traits.compute_units)


def nonce_search(context: DeviceContext, tuning: Tuning) -> NonceSearch:
    """The form of the nonce search that suits the device."""
    if context.traits.lanes > 1:
        return BatchedSearch(context, tuning)
    return StagedSearch(context, tuning)
