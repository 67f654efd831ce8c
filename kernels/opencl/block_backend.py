"""How the OpenCL kernels make one device of the block engine: which run for what."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.block_interface import BlockKernels, BlockLaunch, FoundHashes, LoadedSet
from packetcrypt.kernels.opencl.announcement_rows import announcement_rows
from packetcrypt.kernels.opencl.block_hashes import BlockHashes
from packetcrypt.kernels.opencl.block_search import (
    BlockLaunchBuffers,
    BlockSearch,
    default_block_tuning,
)
from packetcrypt.kernels.opencl.buffers import upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.difficulty import compact_to_target
from packetcrypt.protocol.errors import DeviceError


@dataclass(frozen=True)
class _OpenCLLoadedSet:
    """`count` rows of the store, on the device."""

    count: int
    rows: cl.Buffer = field(repr=False)


class _OpenCLBlockLaunch:
    """A launch under way; `result` gives its buffers back."""

    def __init__(
        self,
        context: DeviceContext,
        search: BlockSearch,
        buffers: BlockLaunchBuffers,
        events: list[cl.Event],
        free: deque[BlockLaunchBuffers],
    ) -> None:
        self._context = context
        self._search = search
        self._buffers = buffers
        self._events = events
        self._free = free

    def result(self) -> FoundHashes:
        """Wait for the search and return what it found. Call exactly once."""
        with self._context.reporting("searching"):
            found = self._search.collect(self._buffers, self._events)
        self._free.append(self._buffers)
        return found


class OpenCLBlockKernels(BlockKernels):
    """The block computations on one OpenCL device (spec 1 §5).

    device : the pyopencl device
    store  : (n, 1024) uint8, C-contiguous; devices that are the host's cores read it in place
    tuning : how searches are cut; by default as it suits the kind of device
    lanes  : overrides the vector width that follows from the kind of device (tests do)

    Raises `DeviceError` if the device cannot be opened, does not compile the kernels, or has not
    enough memory for a copy of the store.
    """

    def __init__(
        self,
        device: cl.Device,
        store: npt.NDArray[np.uint8],
        tuning: Tuning | None = None,
        *,
        lanes: int | None = None,
    ) -> None:
        context = DeviceContext(device, lanes=lanes)
        tuning = tuning or default_block_tuning(context.traits)
        self.max_launch = tuning.max_launch
        self.launch_quantum = tuning.quantum
        self._context = context
        with context.reporting("taking the announcements' memory (give less with -m)"):
            self._rows = announcement_rows(context, store)
        with context.reporting("loading the kernels"):
            self._search = BlockSearch(context, self._rows, tuning)
            self._hashes = BlockHashes(context, self._rows)
            self._slots: list[cl.Buffer | None] = [None] * self.SLOTS
            self._free = deque(
                BlockLaunchBuffers(context, tuning.max_launch) for _ in range(self.LAUNCHES)
            )

    def rows_written(self, first: int, count: int) -> None:
        """Copy the rows, where the device does not read the store itself."""
        with self._context.reporting("copying announcements"):
            self._rows.written(first, count)

    def hash_rows(self, first: int, count: int) -> npt.NDArray[np.uint8]:
        """(count, 32) uint8: H32 of each row (kernels/opencl/block_hashes.py)."""
        with self._context.reporting("hashing announcements"):
            return self._hashes.rows(first, count)

    def hash_layer(
        self, hashes: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint64], end: int
    ) -> npt.NDArray[np.uint8]:
        """One layer of the proof tree (kernels/opencl/block_hashes.py)."""
        with self._context.reporting("hashing the proof tree"):
            return self._hashes.layer(hashes, starts, end)

    def load_set(self, rows: npt.NDArray[np.uint32], slot: int) -> LoadedSet:
        """Copy the set's row numbers; the announcements stay where they are."""
        with self._context.reporting("loading a set of announcements"):
            self._slots[slot] = None
            buffer = upload(self._context, rows.astype(np.uint32, copy=False))
            self._slots[slot] = buffer
        return _OpenCLLoadedSet(len(rows), buffer)

    def search(
        self,
        loaded: LoadedSet,
        header_hash: bytes,
        target: int,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> BlockLaunch:
        """Enqueue the search. Launches are short, so `cancelled` is not looked at."""
        if not isinstance(loaded, _OpenCLLoadedSet):
            raise DeviceError(
                f"a {type(loaded).__name__} is no set loaded by OpenCL: "
                "search it with the kernels that loaded it"
            )
        self.refuse_impossible(first, count)
        if not self._free:
            raise DeviceError(
                f"{self.LAUNCHES} launches are outstanding: call result() of one first"
            )
        launch = self._free.popleft()
        with self._context.reporting("searching"):
            events = self._search.enqueue(
                launch,
                loaded.rows,
                loaded.count,
                header_hash,
                range(first, first + count),
                compact_to_target(target),
            )
        return _OpenCLBlockLaunch(self._context, self._search, launch, events, self._free)

    def close(self) -> None:
        """Wait for what is under way and let go of the buffers."""
        self._context.close()
        self._slots.clear()
        self._free.clear()
