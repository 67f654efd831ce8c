"""What every backend can compute for block mining: the interface between kernels and engine.

One `BlockKernels` object is one device. It is driven by one thread (the engine's worker of that
device); nothing in it is shared between threads but the announcement store, which is host memory
that other threads write and the device reads.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.errors import DeviceError

LOW_NONCES: Final = 1 << 32
"""how many low nonces a header has"""


@dataclass(frozen=True)
class FoundHashes:
    """Block hashes of one launch that meet its target, ascending by low nonce.

    low_nonces  : (n,) uint32
    work_hashes : (n, 32) uint8
    """

    low_nonces: npt.NDArray[np.uint32]
    work_hashes: npt.NDArray[np.uint8]


class LoadedSet(Protocol):
    """A sorted set of announcements that can be searched with."""

    @property
    def count(self) -> int:
        """How many announcements the set has."""
        ...


class BlockLaunch(Protocol):
    """A search under way on the device."""

    def result(self) -> FoundHashes:
        """Wait for the search and return what it found. Call exactly once."""
        ...


class BlockKernels(ABC):
    """The block computations of spec 1 §5 on one device, over one store of announcements."""

    #: A slot holds one loaded set; two allow loading the next while one is searched.
    SLOTS = 2
    #: `search` launches may be outstanding at a time (double-buffered results).
    LAUNCHES = 2

    #: Most low nonces one `search` call takes.
    max_launch: int
    #: Launches are most efficient in multiples of this many low nonces.
    launch_quantum: int

    @abstractmethod
    def rows_written(self, first: int, count: int) -> None:
        """Tell the device that rows first … first+count−1 of the store have new contents.

        Nothing happens on a device that works in the host's memory; another one copies them. Rows
        of a loaded set must not be written while a launch that uses it is outstanding.
        """

    @abstractmethod
    def hash_rows(self, first: int, count: int) -> npt.NDArray[np.uint8]:
        """(count, 32) uint8: H32 of rows first … first+count−1, after `rows_written` of them."""

    @abstractmethod
    def hash_layer(
        self, hashes: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint64], end: int
    ) -> npt.NDArray[np.uint8]:
        """One layer of the proof tree from the one below it.

        hashes : (m, 32) uint8, m even; starts : (m,) uint64; a node's end is the next one's start
        end    : end of the last node, u64

        Returns (m/2, 32) uint8: H32(left ‖ right) of each pair, a node being hash ‖ start ‖ end
        (48 bytes, little-endian). Pads are nodes like others here.
        """

    @abstractmethod
    def load_set(self, rows: npt.NDArray[np.uint32], slot: int) -> LoadedSet:
        """Make the set that consists of these rows of the store, in this order, searchable.

        rows : (n,) uint32, 1 ≤ n; sorted by dedup key (the caller's business). What was loaded in
        the slot before is gone.
        """

    @abstractmethod
    def search(
        self,
        loaded: LoadedSet,
        header_hash: bytes,
        target: int,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> BlockLaunch:
        """Search low nonces first … first+count−1 (1 ≤ count ≤ max_launch).

        header_hash : 32 bytes, H32 of the 80-byte header with its nonce
        target      : compact target that hashes are compared with

        Returns at once where the device computes asynchronously. A backend that computes on the
        host's cores polls `cancelled` every few milliseconds and then stops: the result is what was
        found so far. Raises `DeviceError` for a range that is too long or leaves the 32 bits, one
        launch too many, a set of another backend, and a device that fails.
        """

    def refuse_impossible(self, first: int, count: int) -> None:
        """What backends say to ranges that `search` does not take: `DeviceError`."""
        if not 1 <= count <= self.max_launch or first < 0 or first + count > LOW_NONCES:
            raise DeviceError(
                f"a launch searches 1 to {self.max_launch} low nonces of 32 bits, not {count} "
                f"from {first} on: search a longer range in several launches"
            )

    @abstractmethod
    def close(self) -> None:
        """Wait for outstanding work and free the device. Idempotent."""
