"""How finds become finished announcements on the host: the host side of announcement_finish.cl."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.opencl.buffers import allocate, download
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.search import FIND_SIZE
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE

#: Finds that a launch copies to the host in its own turn. Usual difficulties give fewer; a launch
#: with more costs a second copy, which waits for the launches enqueued meanwhile.
_EAGER_FINDS: Final = 256

#: Finds that a launch has room for, 32 MB. Only the easiest targets, which no pool sets, give more;
#: what a launch could not keep is searched again (backend.py).
MOST_FINDS: Final = 1 << 14

_GPU_WORK_ITEMS: Final = 128


class LaunchBuffers:
    """What one launch writes: device buffers, and the host arrays that its first finds arrive in.

    progress           : 2 u32 on the device: batches taken, number of finds
    finds              : records on the device (announcement_find.cl), in any order
    announcements      : 1024 bytes a find on the device, in the order of the records
    keys               : their dedup keys on the device, u64
    host_progress      : (2,) uint32
    host_announcements : (m, 1024) uint8, the first of them, m at most 256
    host_keys          : (m,) uint64
    capacity           : finds for which there is room
    """

    def __init__(self, context: DeviceContext, capacity: int) -> None:
        self.capacity = capacity
        eager = min(_EAGER_FINDS, capacity)
        self.progress = allocate(context, 8)
        self.finds = allocate(context, FIND_SIZE * capacity)
        self.announcements = allocate(context, ANNOUNCEMENT_SIZE * capacity)
        self.keys = allocate(context, 8 * capacity)
        self.host_progress = np.zeros(2, np.uint32)
        self.host_announcements = np.zeros((eager, ANNOUNCEMENT_SIZE), np.uint8)
        self.host_keys = np.zeros(eager, np.uint64)


class AnnouncementFinish:
    """Builds announcements from finds on the device and brings them to the host (spec 1 §4)."""

    def __init__(self, context: DeviceContext) -> None:
        self._context = context
        program = context.build("announcement_finish.cl")
        self._kernel = context.kernel(program, "announcement_finish")
        units = context.traits.compute_units
        self._work_items = units if context.traits.is_cpu else units * _GPU_WORK_ITEMS

    def enqueue(self, header: cl.Buffer, tree: cl.Buffer, launch: LaunchBuffers) -> list[cl.Event]:
        """Finish the finds of `launch` after its search; returns at once.

        header : the job's 88 bytes; tree : its Merkle tree, 16383 × 64 bytes
        Returns the events of the copies to the host, for `collect`.
        """
        queue = self._context.queue
        self._kernel(
            queue,
            (self._work_items,),
            None,
            header,
            tree,
            launch.progress,
            launch.finds,
            np.uint32(launch.capacity),
            launch.announcements,
            launch.keys,
        )
        copies = (
            (launch.host_progress, launch.progress),
            (launch.host_announcements, launch.announcements),
            (launch.host_keys, launch.keys),
        )
        events = [self._context.copy_to_host(host, device) for host, device in copies]
        queue.flush()
        return events

    def collect(self, launch: LaunchBuffers, copied: list[cl.Event]) -> FoundAnnouncements | None:
        """Wait for what `enqueue` returned and give the announcements, ascending by soft nonce.

        None if there were more finds than room.
        """
        copied[-1].wait()  # the queue is in order: the others came before
        count = int(launch.host_progress[1])
        if count > launch.capacity:
            return None
        announcements, keys = launch.host_announcements, launch.host_keys
        if count > len(keys):
            announcements = np.empty((count, ANNOUNCEMENT_SIZE), np.uint8)
            keys = np.empty(count, np.uint64)
            download(self._context, launch.announcements, announcements)
            download(self._context, launch.keys, keys)
        soft_nonces = _soft_nonces(announcements[:count])
        order = np.argsort(soft_nonces)
        return FoundAnnouncements(announcements[order], keys[order], soft_nonces[order])


def _soft_nonces(announcements: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """(n,) uint32: bytes 1..3 of each announcement."""
    return (announcements.view("<u4")[:, 0] >> 8).astype(np.uint32)
