"""How fast a device mines blocks, measured as it mines."""

import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.block_search import block_launch_size
from packetcrypt.engine.block_selftest import TEST_ROWS, block_self_test, write_test_rows
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.opening import BlockOpener, open_block_kernels
from packetcrypt.engine.readiness import ready_device
from packetcrypt.kernels.announcement_store import allocate_store
from packetcrypt.kernels.block_interface import LOW_NONCES, BlockKernels, BlockLaunch, LoadedSet
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import ConfigError, DeviceError
from packetcrypt.protocol.primitives import h32

#: The fixed workload: all rows of a store that this seed filled, in their order, under this header.
_SEED: Final = 20200114
_HEADER: Final = bytes(range(80))
#: One hash in four million: nothing but the hashing is measured.
_TARGET: Final = 0x1E3FFFFF

#: Hashes that the plain implementation computes too, after the run. Half of them meet the target.
_RECOMPUTED: Final = 128
_EASY_TARGET: Final = 0x207FFFFF

#: Rows that are filled with random bytes at a time.
_PIECE: Final = 1 << 14


@dataclass(frozen=True)
class BlockBenchmark:
    """What one device did in `seconds`.

    device            : name of the device; index and driver say which one
    announcements     : in the set, 1 KiB each
    hashes_per_second : block hashes searched
    known_answers     : the self-test's known answers were reproduced before the run, and after it
                        the plain implementation found the same in a sample of its hashes
    """

    device: str
    index: str
    driver: str
    announcements: int
    seconds: float
    hashes_per_second: float
    known_answers: bool


def benchmark_blocks(
    device: DeviceInfo,
    seconds: float,
    memory_mb: int,
    threads: int | None = None,
    opener: BlockOpener = open_block_kernels,
) -> BlockBenchmark:
    """Measure one device for `seconds`, in the calling thread.

    memory_mb : MiB of announcements. The more, the more of the time goes into reading memory: it
                matters how many fit the caches.

    Before it the device passes the self-test, which also makes it compile its kernels, and mines
    for a tenth of the time without being measured: clocks rise, launches find their size. Raises
    `ConfigError` for a time or memory that is not positive, `DeviceError` if the device fails or
    computes wrongly.
    """
    if not seconds > 0:
        raise ConfigError(f"{seconds} seconds are no time to measure: give more than 0")
    if memory_mb < 1:
        raise ConfigError(f"{memory_mb} MiB hold no announcements: give 1 or more (-m)")
    count = (memory_mb << 20) // ANNOUNCEMENT_SIZE
    store = allocate_store(count + TEST_ROWS)
    _fill(store[:count])
    write_test_rows(store)

    def test(kernels: BlockKernels) -> None:
        block_self_test(kernels, store, device)

    with ready_device(device, partial(opener, device, store, threads), test) as kernels:
        kernels.rows_written(0, count)
        loaded = kernels.load_set(np.arange(count, dtype=np.uint32), 0)
        with closing(_SteadySearch(kernels, loaded, block_launch_size(device, kernels))) as search:
            search.run(seconds / 10)
            elapsed, hashes = search.run(seconds)
        _recompute(device, kernels, loaded, store)
    return BlockBenchmark(
        device=device.name,
        index=device.index,
        driver=f"{device.platform} {device.driver}",
        announcements=count,
        seconds=elapsed,
        hashes_per_second=hashes / elapsed,
        known_answers=True,
    )


def _fill(rows: npt.NDArray[np.uint8]) -> None:
    rng = np.random.default_rng(_SEED)
    for first in range(0, len(rows), _PIECE):
        piece = rows[first : first + _PIECE]
        piece[:] = np.frombuffer(rng.bytes(piece.size), np.uint8).reshape(piece.shape)


class _SteadySearch:
    """Launches one after the other that are looked at for a while, and again."""

    def __init__(self, kernels: BlockKernels, loaded: LoadedSet, size: LaunchSize) -> None:
        self._kernels = kernels
        self._loaded = loaded
        self._size = size
        self._header_hash = h32(_HEADER)
        self._next = 0
        self._flights: deque[tuple[BlockLaunch, int]] = deque()
        self._last_landing = time.monotonic()

    def run(self, seconds: float) -> tuple[float, int]:
        """Search on: (seconds it took, hashes searched).

        Begins and ends with a finished launch, so that no launch is counted in part.
        """
        self._next_landing()
        start = time.monotonic()
        hashes = 0
        while (elapsed := time.monotonic() - start) < seconds:
            hashes += self._next_landing()
        return elapsed, hashes

    def close(self) -> None:
        """Wait for the launches in flight."""
        while self._flights:
            self._flights.popleft()[0].result()

    def _next_landing(self) -> int:
        while len(self._flights) < self._kernels.LAUNCHES:
            count = min(self._size.nonces, LOW_NONCES - self._next)
            launch = self._kernels.search(
                self._loaded, self._header_hash, _TARGET, self._next, count
            )
            self._next = (self._next + count) % LOW_NONCES
            self._flights.append((launch, count))
        launch, count = self._flights.popleft()
        launch.result()
        now = time.monotonic()
        self._size.measured(count, now - self._last_landing)
        self._last_landing = now
        return count


def _recompute(
    device: DeviceInfo, kernels: BlockKernels, loaded: LoadedSet, store: npt.NDArray[np.uint8]
) -> None:
    """Compare the first hashes of the workload with the plain implementation's."""
    launch = kernels.search(loaded, h32(_HEADER), _EASY_TARGET, 0, _RECOMPUTED)
    found = launch.result()
    plain = (
        block_work_hash(_HEADER, nonce, lambda n: store[n % loaded.count].tobytes()).work_hash
        for nonce in range(_RECOMPUTED)
    )
    expected = [(nonce, work) for nonce, work in enumerate(plain) if meets(work, _EASY_TARGET)]
    hashes = [work_hash.tobytes() for work_hash in found.work_hashes]
    if list(zip(found.low_nonces.tolist(), hashes, strict=True)) != expected:
        raise DeviceError(
            f"device {device} computes wrong block hashes with {loaded.count} announcements, "
            "though it passed its self-test: what it measures means nothing. Reset any "
            "overclocking, update its driver, or measure another device (--device)."
        )
