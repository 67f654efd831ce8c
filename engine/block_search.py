"""In which order does a device search block hashes and load sets, so that it never stands still?"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.launch_size import LaunchSize, launch_seconds
from packetcrypt.engine.store_rows import RowChanges
from packetcrypt.kernels.block_interface import (
    LOW_NONCES,
    BlockKernels,
    BlockLaunch,
    FoundHashes,
    LoadedSet,
)
from packetcrypt.protocol.primitives import h32


def block_launch_size(device: DeviceInfo, kernels: BlockKernels) -> LaunchSize:
    """How many low nonces the launches of `device`, whose kernels these are, take."""
    seconds = launch_seconds(device, kernels.LAUNCHES)
    return LaunchSize(kernels.launch_quantum, kernels.max_launch, seconds)


@dataclass(frozen=True)
class Landed:
    """What a finished launch gave.

    header  : 80 bytes
    hashes  : how many were searched; 0 if the launch may have been cut short
    seconds : that it had the device to itself
    """

    candidate: BlockCandidate
    header: bytes
    found: FoundHashes
    hashes: int
    seconds: float


@dataclass(frozen=True)
class _Flight:
    """A launch under way."""

    launch: BlockLaunch
    candidate: BlockCandidate
    header: bytes
    slot: int
    hashes: int
    started: float


@dataclass(frozen=True)
class _Slot:
    """A set and what the device knows it as."""

    mined: MinedSet
    loaded: LoadedSet


class BlockSearch:
    """Searches one candidate after the other on one device, with launches in flight.

    kernels       : the device; driven by the thread that calls
    changes       : rows of the store that the device must be told of
    header_nonces : without end; one is used for 2^32 low nonces of one candidate
    stopped       : polled during launches: whether finds for a candidate are of no use any more
    """

    def __init__(
        self,
        kernels: BlockKernels,
        changes: RowChanges,
        header_nonces: Iterator[int],
        launch_size: LaunchSize,
        stopped: Callable[[BlockCandidate], bool] = lambda candidate: False,
    ) -> None:
        self._kernels = kernels
        self._changes = changes
        self._header_nonces = header_nonces
        self._size = launch_size
        self._stopped = stopped
        self._slots: list[_Slot | None] = [None] * kernels.SLOTS
        self._slot = 0
        self._flights: deque[_Flight] = deque()
        self._last_landing = 0.0
        self._candidate: BlockCandidate | None = None
        self._header = b""
        self._header_hash = b""
        self._next_nonce = LOW_NONCES

    def adopt(self, candidate: BlockCandidate | None) -> Iterator[Landed]:
        """Search this candidate from now on, or none; yields launches that had to end for it."""
        self._candidate = None
        if candidate is not None:
            current = self._slots[self._slot]
            if current is None or current.mined is not candidate.mined:
                yield from self._load(candidate.mined)
            self._candidate = candidate
            self._next_nonce = LOW_NONCES

    def advance(self) -> Landed | None:
        """Begin a launch, or wait for the oldest to land if as many as may be are in flight."""
        if self._candidate is not None and len(self._flights) < self._kernels.LAUNCHES:
            self._submit(self._candidate)
            return None
        return self._land() if self._flights else None

    def drain(self) -> Iterator[Landed]:
        """Wait for all launches in flight."""
        while self._flights:
            yield self._land()

    def _load(self, mined: MinedSet) -> Iterator[Landed]:
        """Load a set beside the one that is searched with."""
        slot = 1 - self._slot
        while any(flight.slot == slot for flight in self._flights):
            yield self._land()
        self._slots[slot] = None
        for first, count in self._changes.take():
            self._kernels.rows_written(first, count)
        self._slots[slot] = _Slot(mined, self._kernels.load_set(mined.pinned.rows, slot))
        self._slot = slot
        self._forget_unused()

    def _submit(self, candidate: BlockCandidate) -> None:
        if self._next_nonce == LOW_NONCES:
            self._header = candidate.header(next(self._header_nonces))
            self._header_hash = h32(self._header)
            self._next_nonce = 0
        current = self._slots[self._slot]
        assert current is not None
        hashes = min(self._size.nonces, LOW_NONCES - self._next_nonce)
        started = time.monotonic()
        launch = self._kernels.search(
            current.loaded,
            self._header_hash,
            candidate.search_target,
            self._next_nonce,
            hashes,
            lambda: self._stopped(candidate),
        )
        self._next_nonce += hashes
        flight = _Flight(launch, candidate, self._header, self._slot, hashes, started)
        self._flights.append(flight)

    def _land(self) -> Landed:
        """Wait for the oldest launch."""
        flight = self._flights.popleft()
        found = flight.launch.result()
        now = time.monotonic()
        # The device works in order: this launch had it to itself only since the one before landed.
        seconds = now - max(flight.started, self._last_landing)
        self._last_landing = now
        self._forget_unused()
        cut_short = self._stopped(flight.candidate)
        if not cut_short:
            self._size.measured(flight.hashes, seconds)
        hashes = 0 if cut_short else flight.hashes
        return Landed(flight.candidate, flight.header, found, hashes, seconds)

    def _forget_unused(self) -> None:
        """Let go of the set before this one, whose rows are kept for it, with its last launch."""
        other = 1 - self._slot
        if not any(flight.slot == other for flight in self._flights):
            self._slots[other] = None
