"""How this machine's CPU cores mine blocks through NumPy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.block_interface import BlockKernels, BlockLaunch, FoundHashes, LoadedSet
from packetcrypt.kernels.numpy.block_search import SortedRows, search
from packetcrypt.kernels.numpy.proof_layer import hash_layer
from packetcrypt.kernels.numpy.threads import Threads
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32

_LAUNCH_BATCHES = 4
#: Low nonces that a thread searches together. A launch of them takes half a second, for which a new
#: set waits; 8192 are no faster, 2048 take 1.2 times as long.
_BATCH = 4096


class NumpyBlockKernels(BlockKernels):
    """Block computations over `store` on `threads` threads (default: one for each core).

    store : (capacity, 1024) uint8, C-contiguous, read in place

    All work happens within the calls: `search` returns when it is done, or soon after `cancelled`
    says so; it is polled from the worker threads. About 45 MB a thread.
    """

    def __init__(self, store: npt.NDArray[np.uint8], threads: int | None = None) -> None:
        self._store = store
        self._threads = Threads(threads, _BATCH)
        self.launch_quantum = _BATCH * self._threads.count
        self.max_launch = _LAUNCH_BATCHES * self.launch_quantum

    def rows_written(self, first: int, count: int) -> None:
        """Nothing to do: the store is read in place."""

    def hash_rows(self, first: int, count: int) -> npt.NDArray[np.uint8]:
        """See `BlockKernels.hash_rows`. One by one: hashlib takes a third of the time of arrays."""
        rows = (self._store[row].tobytes() for row in range(first, first + count))
        return np.frombuffer(b"".join(map(h32, rows)), np.uint8).reshape(count, 32)

    def hash_layer(
        self, hashes: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint64], end: int
    ) -> npt.NDArray[np.uint8]:
        """See `BlockKernels.hash_layer`."""
        return hash_layer(hashes, starts, end, self._threads.run)

    def load_set(self, rows: npt.NDArray[np.uint32], slot: int) -> SortedRows:
        """See `BlockKernels.load_set`."""
        return SortedRows(self._store.view(np.uint64), rows.astype(np.intp))

    def search(
        self,
        loaded: LoadedSet,
        header_hash: bytes,
        target: int,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> BlockLaunch:
        """See `BlockKernels.search`."""
        if not isinstance(loaded, SortedRows):
            raise DeviceError(
                f"a {type(loaded).__name__} is no set loaded by NumPy: "
                "search it with the kernels that loaded it"
            )
        self.refuse_impossible(first, count)

        def search_batch(workspace: Workspace, first: int, count: int) -> FoundHashes:
            return search(workspace, loaded, header_hash, target, first, count)

        return _FinishedSearch(_joined(self._threads.search(first, count, search_batch, cancelled)))

    def close(self) -> None:
        """See `BlockKernels.close`."""
        self._threads.close()


@dataclass(frozen=True)
class _FinishedSearch:
    """A search that ended before it was returned."""

    found: FoundHashes

    def result(self) -> FoundHashes:
        return self.found


def _joined(found: list[FoundHashes]) -> FoundHashes:
    """What the batches found, in order, as one."""
    found = sorted(
        (part for part in found if len(part.low_nonces)), key=lambda part: part.low_nonces[0]
    )
    return FoundHashes(
        np.concatenate([np.empty(0, np.uint32), *(part.low_nonces for part in found)]),
        np.concatenate([np.empty((0, 32), np.uint8), *(part.work_hashes for part in found)]),
    )
