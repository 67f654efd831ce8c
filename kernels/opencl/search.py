"""Which soft nonces of a prepared job are finds: the host side of announcement_search.cl.

Batch and launch sizes are chosen here, from what the device is.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, download
from packetcrypt.kernels.opencl.context import DeviceContext

FIND_SIZE: Final = 880
"""Bytes of one record in `finds` (announcement_find.cl)."""

_TARGET_LIMIT: Final = 1 << 256

#: Nonces of a CPU batch. Their states should fit the core's L2 cache, but the more there are,
#: the better the groups match.
_CPU_BATCH: Final = 384
_CPU_BATCHES_A_LAUNCH: Final = 10

#: Nonces in flight on each multiprocessor, and how many of them a work-item takes in a launch.
_GPU_NONCES: Final = 512
_GPU_ROUNDS: Final = 2
_GPU_GROUP_SIZE: Final = 64


@dataclass(frozen=True)
class SearchSizes:
    """How a device's launches are cut.

    batch      : nonces that a work-item computes together
    work_items : work-items of a launch; each has its own slab of states
    group_size : work-items of a work-group
    max_launch : most nonces in one launch
    """

    batch: int
    work_items: int
    group_size: int
    max_launch: int

    @classmethod
    def for_device(cls, context: DeviceContext) -> "SearchSizes":
        """On CPUs a launch stays below 25 ms, because it cannot be interrupted."""
        units = context.traits.compute_units
        if context.traits.lanes > 1:
            quantum = units * _CPU_BATCH
            return cls(_CPU_BATCH, units, 1, quantum * _CPU_BATCHES_A_LAUNCH)
        in_flight = units * _GPU_NONCES
        return cls(1, in_flight, _GPU_GROUP_SIZE, in_flight * _GPU_ROUNDS)

    @property
    def quantum(self) -> int:
        """Launches of multiples of this many nonces give every work-item the same share."""
        return self.batch * self.work_items


class AnnouncementSearch:
    """Launches of the nonce search on one device (spec 1 §4, step 4)."""

    def __init__(self, context: DeviceContext, sizes: SearchSizes) -> None:
        self._context = context
        self._sizes = sizes
        program = context.build("announcement_search.cl", BATCH=sizes.batch)
        self._kernel = context.kernel(program, "announcement_search")
        slabs = self._slab_size(program) * sizes.work_items
        self._slabs = allocate(context, slabs)

    def _slab_size(self, program: cl.Program) -> int:
        """Only the source knows it: it depends on the vector width that the compiler found."""
        size = np.zeros(1, np.uint32)
        buffer = allocate(self._context, size.nbytes)
        kernel = self._context.kernel(program, "announcement_slab_size")
        kernel(self._context.queue, (1,), (1,), buffer)
        download(self._context, buffer, size)
        return int(size[0])

    def enqueue(
        self,
        keystream: cl.Buffer,
        table: cl.Buffer,
        nonces: range,
        target: int,
        progress: cl.Buffer,
        finds: cl.Buffer,
    ) -> cl.Event:
        """Search `nonces` (step 1); returns at once.

        keystream : the job's state template, 2048 bytes
        table     : T1, 8192 × 1024 bytes
        target    : hashes below it are finds
        progress  : 2 u32; its second word becomes the number of finds
        finds     : room for len(nonces) records of FIND_SIZE bytes
        """
        sizes = self._sizes
        queue = self._context.queue
        cl.enqueue_fill_buffer(queue, progress, np.zeros(1, np.uint32), 0, 8)
        return self._kernel(
            queue,
            (sizes.work_items,),
            (sizes.group_size,),
            keystream,
            table,
            self._slabs,
            progress,
            finds,
            np.uint32(nonces.start),
            np.uint32(len(nonces)),
            *target_words(target),
        )


def target_words(target: int) -> npt.NDArray[np.uint64]:
    """(4,) uint64, low word first, of a target below 2^256."""
    if not 0 <= target < _TARGET_LIMIT:
        raise ValueError(f"target {target:#x} is not a 256-bit number")
    return np.frombuffer(target.to_bytes(32, "little"), "<u8").astype(np.uint64)
