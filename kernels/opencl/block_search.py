"""Which low nonces of a block header are finds: the host side of block_search.cl."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.block_interface import FoundHashes
from packetcrypt.kernels.opencl.announcement_rows import AnnouncementRows
from packetcrypt.kernels.opencl.buffers import allocate, size_in_source, upload
from packetcrypt.kernels.opencl.context import DeviceContext, DeviceTraits
from packetcrypt.kernels.opencl.search import target_words
from packetcrypt.kernels.opencl.x25519_table import build_x25519_table
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.cryptocycle import STATE_SIZE
from packetcrypt.protocol.primitives import expand

#: One record in `finds` (block_search.cl).
_FIND: Final = np.dtype([("low_nonce", "<u4"), ("unused", "<u4"), ("work_hash", "u1", 32)])

#: Finds that a launch copies to the host in its own turn; more cost a second copy.
_EAGER_FINDS: Final = 256

#: CPU: the more states a batch has, the better the groups match; 640 are a little faster than 384
#: even where they exceed the L2 cache (measured). Launches stay below 25 ms, because they cannot be
#: interrupted.
_CPU_BATCH: Final = 640
_CPU_ROUNDS: Final = 5

#: GPU: a work-item has a few states, because they share an inversion. Measured on no GPU yet.
_GPU_BATCH: Final = 4
_GPU_WORK_ITEMS: Final = 256
_GPU_GROUP_SIZE: Final = 64
_GPU_ROUNDS: Final = 2


def default_block_tuning(traits: DeviceTraits) -> Tuning:
    """How launches are cut for a device."""
    units = traits.compute_units
    if traits.lanes > 1:
        return Tuning(batch=_CPU_BATCH, work_items=units, rounds=_CPU_ROUNDS)
    return Tuning(
        batch=_GPU_BATCH,
        work_items=_GPU_WORK_ITEMS * units,
        group_size=_GPU_GROUP_SIZE,
        rounds=_GPU_ROUNDS,
    )


class BlockLaunchBuffers:
    """What one launch reads and writes, on the device and on the host.

    keystream      : 2048 bytes, the state template
    progress       : 2 u32: batches taken, number of finds
    finds          : records on the device, in any order
    host_keystream : (2048,) uint8
    host_progress  : (2,) uint32
    host_finds     : the first records
    """

    def __init__(self, context: DeviceContext, capacity: int) -> None:
        """capacity : most finds of a launch"""
        self.keystream = allocate(context, STATE_SIZE)
        self.progress = allocate(context, 8)
        self.finds = allocate(context, _FIND.itemsize * capacity)
        self.host_keystream = np.zeros(STATE_SIZE, np.uint8)
        self.host_progress = np.zeros(2, np.uint32)
        self.host_finds = np.zeros(min(_EAGER_FINDS, capacity), _FIND)


class BlockSearch:
    """Launches of the block search on one device (spec 1 §5, Mining)."""

    def __init__(self, context: DeviceContext, rows: AnnouncementRows, tuning: Tuning) -> None:
        self._context = context
        self._rows = rows
        self._tuning = tuning
        program = context.build("block_search.cl", BATCH=tuning.batch, STORE_PARTS=rows.parts)
        self._kernel = context.kernel(program, "block_search")
        self._table = upload(context, build_x25519_table())
        self._slabs = allocate(
            context, size_in_source(context, program, "block_slab_size") * tuning.work_items
        )

    def enqueue(
        self,
        launch: BlockLaunchBuffers,
        set_rows: cl.Buffer,
        set_count: int,
        header_hash: bytes,
        nonces: range,
        target: int,
    ) -> list[cl.Event]:
        """Search `nonces`; returns at once, with what `collect` waits for.

        set_rows : the set's rows of the store, u32, sorted by dedup key
        target   : hashes below it are finds
        """
        context, tuning = self._context, self._tuning
        launch.host_keystream[:] = np.frombuffer(expand(header_hash, 0, STATE_SIZE), np.uint8)
        uploaded = context.copy_to_device(launch.keystream, launch.host_keystream)
        cl.enqueue_fill_buffer(context.queue, launch.progress, np.zeros(1, np.uint32), 0, 8)
        self._kernel(
            context.queue,
            (tuning.work_items,),
            (tuning.group_size,),
            launch.keystream,
            *self._rows.arguments,
            set_rows,
            np.uint32(set_count),
            self._table,
            self._slabs,
            launch.progress,
            launch.finds,
            np.uint32(nonces.start),
            np.uint32(len(nonces)),
            *target_words(target),
        )
        copied = [
            context.copy_to_host(launch.host_progress, launch.progress),
            context.copy_to_host(launch.host_finds, launch.finds),
        ]
        context.queue.flush()
        return [uploaded, *copied]

    def collect(self, launch: BlockLaunchBuffers, events: list[cl.Event]) -> FoundHashes:
        """Wait for what `enqueue` returned and give the finds, ascending by low nonce."""
        for event in events:
            event.wait()
        count = int(launch.host_progress[1])
        finds: npt.NDArray[np.void] = launch.host_finds
        if count > len(finds):
            finds = np.empty(count, _FIND)
            self._context.copy_to_host(finds, launch.finds, wait=True)
        finds = np.sort(finds[:count], order="low_nonce")
        return FoundHashes(finds["low_nonce"].astype(np.uint32), finds["work_hash"].copy())
