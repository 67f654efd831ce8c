"""How a program mines announcements: the engine that embedders use."""

import logging
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Self

from packetcrypt.engine.assignment import Assignment, Order
from packetcrypt.engine.batches import AnnouncementBatch, BatchQueue
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.devices import AUTO, select_devices
from packetcrypt.engine.failures import Failures
from packetcrypt.engine.hard_nonces import HardNonces
from packetcrypt.engine.opening import check_threads, open_kernels
from packetcrypt.engine.outlet import Outlet
from packetcrypt.engine.recheck import Rechecker
from packetcrypt.engine.statistics import DeviceCounters, EngineStatistics
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.engine.worker import DeviceWorker
from packetcrypt.kernels.interface import AnnouncementKernels

_log = logging.getLogger(__name__)

#: Announcements that may wait to be taken: 64 MiB, minutes of a fast machine's finds.
QUEUE_LIMIT: Final = 65536

#: How long `close` waits for threads. They need milliseconds, but a driver that is compiling
#: kernels for the first time cannot be interrupted; its thread ends by itself afterwards.
_CLOSE_TIMEOUT_S: Final = 0.9


class AnnouncementEngine:
    """Mines announcements on one or several devices, each driven by a thread of its own.

        with AnnouncementEngine(devices="auto") as engine:
            engine.start(AnnouncementWork(parent_hash=…, parent_height=…, work_bits=0x2001ffff))
            for batch in engine.batches():
                …

    Making an engine finds the devices (a second or two if OpenCL must be probed) and starts opening
    and testing them; `start` may be called at once. All methods are thread-safe; `start`, `pause`
    and `statistics` never block, so an asyncio program may call them from its loop.

    devices     : selectors (see `select_devices`)
    threads     : CPU cores for NumPy and OpenCL CPU devices; None: all that the process may use
    queue_limit : announcements that may wait in `get`; beyond it the oldest are dropped and counted
    hard_nonce_start : the first hard nonce; random if None, so that no two runs repeat a job
    opener      : opens the kernels of a device, in the device's thread

    Raises `ConfigError` for selectors that choose nothing or an impossible number of threads.
    """

    def __init__(
        self,
        devices: str | Sequence[str] = AUTO,
        threads: int | None = None,
        *,
        queue_limit: int = QUEUE_LIMIT,
        hard_nonce_start: int | None = None,
        opener: Callable[[DeviceInfo, int | None], AnnouncementKernels] = open_kernels,
    ) -> None:
        check_threads(threads)
        self._devices = select_devices(devices)
        self._assignment = Assignment()
        self._counters = {device.index: DeviceCounters(device) for device in self._devices}
        self._queue = BatchQueue(queue_limit, partial(_count_dropped, self._counters))
        rechecker = Rechecker()
        failures = Failures(len(self._devices), self._queue.fail)
        hard_nonces = HardNonces(len(self._devices), hard_nonce_start)
        workers = [
            DeviceWorker(
                device,
                partial(opener, device, threads),
                hard_nonces.of_worker(number),
                self._assignment,
                Outlet(device, self._queue, rechecker, self._counters[device.index], queue_limit),
                self._counters[device.index],
                failures.add,
            )
            for number, device in enumerate(self._devices)
        ]
        # The threads hold no reference to the engine, so that one which is forgotten, or still open
        # when the program ends, is shut down too.
        self._finalizer = weakref.finalize(
            self, _shut_down, self._assignment, workers, rechecker, self._queue
        )
        for worker in workers:
            worker.start()

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """The devices chosen."""
        return self._devices

    def start(self, work: AnnouncementWork) -> None:
        """Mine `work` from now on, instead of what was mined before.

        Batches of earlier work that are already found are still delivered. The same work again
        changes nothing.
        """
        self._assignment.give(Order(work))

    def pause(self) -> None:
        """Stop searching until the next `start`; what is found is still delivered."""
        self._assignment.give(Order())

    def get(self, timeout: float | None = None) -> AnnouncementBatch | None:
        """The oldest batch; waits for one, `timeout` seconds at most (None: for ever).

        None if there was none in time, or if the engine is closed and empty. Raises `DeviceError`
        when every device has failed and nothing is left to take.
        """
        return self._queue.get(timeout)

    def batches(self) -> Iterator[AnnouncementBatch]:
        """Batches as they come, until the engine is closed and empty. Raises as `get` does."""
        while (batch := self._queue.get()) is not None:
            yield batch

    def statistics(self) -> EngineStatistics:
        """The counters of all devices, now."""
        return EngineStatistics(tuple(counters.snapshot() for counters in self._counters.values()))

    def close(self) -> None:
        """Stop the devices and end their threads; takes less than a second. Idempotent.

        What was found before can still be taken with `get`.
        """
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _count_dropped(counters: dict[str, DeviceCounters], batch: AnnouncementBatch) -> None:
    counters[batch.device].dropped(len(batch))


def _shut_down(
    assignment: Assignment, workers: list[DeviceWorker], rechecker: Rechecker, queue: BatchQueue
) -> None:
    assignment.give(Order(closed=True))
    deadline = time.monotonic() + _CLOSE_TIMEOUT_S
    for worker in workers:
        if not worker.join(max(0.0, deadline - time.monotonic())):
            _log.warning(
                "Device %s is still busy in its driver; its thread ends when that returns.",
                worker.device,
            )
    rechecker.close(max(0.0, deadline - time.monotonic()))
    queue.close()
