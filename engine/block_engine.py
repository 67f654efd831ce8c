"""How a program mines blocks: the engine that embedders use."""

import logging
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.block_planner import SetPlanner
from packetcrypt.engine.block_selftest import TEST_ROWS, write_test_rows
from packetcrypt.engine.block_shares import (
    QUEUE_LIMIT,
    Find,
    FoundShare,
    ShareMaker,
    ShareQueue,
    WrongTree,
)
from packetcrypt.engine.block_statistics import (
    BlockDeviceCounters,
    BlockEngineStatistics,
    SetStatistics,
    StoreStatistics,
)
from packetcrypt.engine.block_store import AddedAnnouncements, AnnouncementStore
from packetcrypt.engine.block_worker import BlockWorker
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.devices import AUTO, select_devices
from packetcrypt.engine.failures import Failures
from packetcrypt.engine.hard_nonces import HardNonces
from packetcrypt.engine.opening import BlockOpener, check_threads, open_block_kernels
from packetcrypt.kernels.announcement_store import allocate_store
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import hashrate_multiplier
from packetcrypt.protocol.errors import ConfigError, DeviceError
from packetcrypt.protocol.work_file import BlockWork

_log = logging.getLogger(__name__)

BYTES_PER_ANNOUNCEMENT: Final = 1280
"""what one takes: itself, its place in the store's tables, and a part of two trees"""

MIN_FREE: Final = 0.1

#: How long `close` waits for threads. They need milliseconds, but a driver that is compiling
#: kernels for the first time cannot be interrupted; its thread ends by itself afterwards.
_CLOSE_TIMEOUT_S: Final = 0.9


class BlockEngine:
    """Mines blocks with the announcements it is given, on one or several devices.

        with BlockEngine(devices="auto", memory_mb=4096) as engine:
            engine.add(announcements)
            engine.start(work)
            for share in engine.shares():
                …

    Making an engine finds the devices (a second or two if OpenCL must be probed) and starts opening
    and testing them; everything else may be called at once, from any thread. `start`, `pause` and
    `statistics` don't wait for devices.

    devices   : selectors (see `select_devices`)
    threads   : CPU cores for NumPy and OpenCL CPU devices; None: all that the process may use
    memory_mb : MiB for announcements and what goes with them, taken as it is filled
    min_free  : part of the memory that no set takes, so that new announcements find room
    opener    : opens the kernels of a device over the store, in the device's thread

    Raises `ConfigError` for selectors that choose nothing, an impossible number of threads, and
    memory that is too little or cannot be had.
    """

    def __init__(
        self,
        devices: str | Sequence[str] = AUTO,
        threads: int | None = None,
        *,
        memory_mb: int = 4096,
        min_free: float = MIN_FREE,
        opener: BlockOpener = open_block_kernels,
    ) -> None:
        check_threads(threads)
        if not 0 <= min_free < 1:
            raise ConfigError(
                f"{min_free} is no part of the memory: give a number from 0 to below 1"
            )
        capacity = (memory_mb << 20) // BYTES_PER_ANNOUNCEMENT
        if capacity < 1:
            raise ConfigError(f"{memory_mb} MiB hold no announcements: give more memory (-m)")
        self._devices = select_devices(devices)
        memory = allocate_store(capacity + TEST_ROWS)
        write_test_rows(memory)
        self._store = AnnouncementStore(memory, capacity)
        self._planner = SetPlanner(self._store, max(1, int(capacity * (1 - min_free))))
        self._counters = {device.index: BlockDeviceCounters(device) for device in self._devices}
        self._queue = ShareQueue(QUEUE_LIMIT, partial(_count_dropped, self._counters))
        judge = _Judge(self._counters, self._planner, self._queue)
        shares = ShareMaker(
            self._store,
            delivered=judge.delivered,
            dropped=partial(_count_dropped, self._counters),
            wrong=judge.wrong,
        )
        failures = Failures(len(self._devices), self._queue.fail)
        header_nonces = HardNonces(len(self._devices))  # dealt out likewise: 32 bits, none twice
        workers = [
            BlockWorker(
                device,
                partial(opener, device, memory, threads),
                memory,
                header_nonces.of_worker(number),
                self._planner,
                shares,
                self._counters[device.index],
                failures.add,
            )
            for number, device in enumerate(self._devices)
        ]
        judge.workers = {worker.device.index: worker for worker in workers}
        # The threads hold no reference to the engine, so that one which is forgotten, or still open
        # when the program ends, is shut down too.
        self._finalizer = weakref.finalize(
            self, _shut_down, self._planner, workers, shares, self._queue
        )
        self._planner.run_thread()
        for worker in workers:
            worker.start()

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """The devices chosen."""
        return self._devices

    def add(self, announcements: npt.NDArray[np.uint8]) -> AddedAnnouncements:
        """Take announcements, (n, 1024) uint8, that the caller has checked; what became of them.

        They are hashed and copied in the calling thread. They are mined with as soon as a set with
        them is worth building. Raises `DecodeError` for an array of another shape.
        """
        added = self._store.add(announcements)
        self._planner.added(added)
        return added

    def forget(self, keys: npt.NDArray[np.uint64]) -> int:
        """Drop announcements by dedup key, (n,) uint64, because they proved bad; how many.

        A set that has some of them is replaced at once; shares with them are not delivered.
        """
        keys = keys.astype(np.uint64)
        forgotten = self._store.forget(keys)
        self._planner.forgotten(keys)
        return forgotten

    def forget_parents(self, heights: Iterable[int]) -> int:
        """Drop announcements with parents at these heights, which left the chain; how many.

        A set that has some of them is replaced at once; shares with them are not delivered.
        """
        gone = tuple(heights)
        forgotten = self._store.forget_parents(gone)
        self._planner.forgotten_parents(gone)
        return forgotten

    def knows(self, announcements: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which of (n, 1024) uint8 announcements it has already: (n,) bool.

        So that nobody checks an announcement a second time. Raises `DecodeError` for an array of
        another shape.
        """
        return self._store.knows(announcements)

    def start(self, work: BlockWork) -> None:
        """Mine `work` from now on, instead of what was mined before.

        The set that was mined goes on being used until a better one is built, unless it is too old.
        Shares of earlier work that are already found are still delivered. The same work again
        changes nothing. Raises `DecodeError` if its coinbase has no place for a commitment.
        """
        self._planner.start(work)

    def pause(self) -> None:
        """Stop searching until the next `start`; what is found is still delivered."""
        self._planner.pause()

    def get(self, timeout: float | None = None) -> FoundShare | None:
        """The oldest share; waits for one, `timeout` seconds at most (None: for ever).

        None if there was none in time, or if the engine is closed and empty. Raises `DeviceError`
        when every device has failed and nothing is left to take.
        """
        return self._queue.get(timeout)

    def shares(self) -> Iterator[FoundShare]:
        """Shares as they come, until the engine is closed and empty. Raises as `get` does."""
        while (share := self._queue.get()) is not None:
            yield share

    def statistics(self) -> BlockEngineStatistics:
        """The counters of all devices, the store and the set that is mined, now."""
        classes = {
            (each.parent_height, each.work_bits): each.count for each in self._store.classes()
        }
        return BlockEngineStatistics(
            tuple(counters.snapshot() for counters in self._counters.values()),
            StoreStatistics(self._store.capacity, self._store.free, classes),
            self._mined(),
        )

    def _mined(self) -> SetStatistics | None:
        candidate = self._planner.plan.candidate
        if candidate is None:
            return None
        commitment = BlockCommitment.decode(candidate.commitment)
        return SetStatistics(
            count=commitment.count,
            max_target=commitment.max_target,
            multiplier=hashrate_multiplier(commitment.max_target, commitment.count),
            share_target=candidate.share_target,
            block_target=candidate.block_target,
        )

    def close(self) -> None:
        """Stop the devices and end the threads; takes less than a second. Idempotent.

        What was found before can still be taken with `get`.
        """
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Judge:
    """Where the share maker's verdicts go: to the queue, or to the device that is to blame."""

    def __init__(
        self,
        counters: dict[str, BlockDeviceCounters],
        planner: SetPlanner,
        queue: ShareQueue,
    ) -> None:
        self.workers: dict[str, BlockWorker] = {}
        self._counters = counters
        self._planner = planner
        self._queue = queue

    def delivered(self, share: FoundShare) -> None:
        if self.workers[share.device].distrusted:
            self._counters[share.device].count(withheld=1)
            return
        self._counters[share.device].count(shares=1)
        self._queue.put(share)

    def wrong(self, find: Find, error: DeviceError) -> None:
        self._counters[find.device].count(withheld=1)
        if not isinstance(error, WrongTree):
            self.workers[find.device].distrust(error)
            return
        mined = find.candidate.mined
        self.workers[mined.builder].distrust(error)  # first, or it might build the next one too
        self._planner.discard(mined)


def _count_dropped(counters: dict[str, BlockDeviceCounters], lost: Find | FoundShare) -> None:
    counters[lost.device].count(dropped=1)


def _shut_down(
    planner: SetPlanner, workers: list[BlockWorker], shares: ShareMaker, queue: ShareQueue
) -> None:
    deadline = time.monotonic() + _CLOSE_TIMEOUT_S
    planner.close()
    for worker in workers:
        if not worker.join(max(0.0, deadline - time.monotonic())):
            _log.warning(
                "Device %s is still busy in its driver; its thread ends when that returns.",
                worker.device,
            )
    planner.join(max(0.0, deadline - time.monotonic()))
    shares.close(max(0.0, deadline - time.monotonic()))
    queue.close()
