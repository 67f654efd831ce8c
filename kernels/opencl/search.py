"""Which soft nonces of a prepared job are finds: the host side of announcement_search.cl."""

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, size_in_source
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.tuning import Tuning

FIND_SIZE: Final = 880
"""Bytes of one record in `finds` (announcement_find.cl)."""

_TARGET_LIMIT: Final = 1 << 256
_ZERO: Final = np.zeros(1, np.uint32)


class NonceSearch(ABC):
    """Launches of the nonce search on one device (spec 1 §4, step 4)."""

    #: The names of the kernels that search.
    KERNELS: tuple[str, ...]

    @abstractmethod
    def enqueue(
        self,
        keystream: cl.Buffer,
        table: cl.Buffer,
        nonces: range,
        target: int,
        progress: cl.Buffer,
        finds: cl.Buffer,
        capacity: int,
    ) -> cl.Event:
        """Search `nonces` (step 1); returns at once.

        keystream : the job's state template, 2048 bytes
        table     : T1, 8192 × 1024 bytes
        target    : hashes below it are finds
        progress  : 2 u32; its second word becomes the number of finds
        finds     : room for `capacity` records of FIND_SIZE bytes; finds beyond are counted only
        """


class BatchedSearch(NonceSearch):
    """Launches of the nonce search on one device, in batches of the states of a work-item."""

    KERNELS = ("announcement_search",)

    def __init__(self, context: DeviceContext, tuning: Tuning) -> None:
        self._context = context
        self._tuning = tuning
        program = context.build("announcement_search.cl", BATCH=tuning.batch)
        self._kernel = context.kernel(program, *self.KERNELS)
        slabs = size_in_source(context, program, "announcement_slab_size") * tuning.work_items
        self._slabs = allocate(context, slabs)

    def enqueue(
        self,
        keystream: cl.Buffer,
        table: cl.Buffer,
        nonces: range,
        target: int,
        progress: cl.Buffer,
        finds: cl.Buffer,
        capacity: int,
    ) -> cl.Event:
        """See `NonceSearch.enqueue`."""
        queue = self._context.queue
        cl.enqueue_fill_buffer(queue, progress, _ZERO, 0, 8)
        return self._kernel(
            queue,
            (self._tuning.work_items,),
            (self._tuning.group_size,),
            keystream,
            table,
            self._slabs,
            progress,
            finds,
            np.uint32(capacity),
            np.uint32(nonces.start),
            np.uint32(len(nonces)),
            *target_words(target),
        )


@lru_cache(maxsize=4)
def target_words(target: int) -> npt.NDArray[np.uint64]:
    """(4,) uint64, low word first, of a target below 2^256."""
    if not 0 <= target < _TARGET_LIMIT:
        raise ValueError(f"target {target:#x} is not a 256-bit number")
    return np.frombuffer(target.to_bytes(32, "little"), "<u8").astype(np.uint64)
