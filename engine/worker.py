"""What the thread of one device does: open it, test it, mine what is ordered, stop."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from packetcrypt.engine.assignment import Assignment, Order
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.failures import unexpected_failure
from packetcrypt.engine.job_runner import JobCancelled
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.outlet import Outlet
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.search_pipeline import SearchPipeline, SearchRange
from packetcrypt.engine.statistics import DeviceCounters, DeviceState
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.difficulty import work_of_compact
from packetcrypt.protocol.errors import DeviceError, PacketCryptError, ProgramError

_log = logging.getLogger(__name__)


class DeviceWorker:
    """One device and its thread. The thread starts with `start`.

    open_device : opens the kernels; called in the thread, which then owns them
    hard_nonces : this worker's share of them, without end
    assignment  : where its orders come from
    outlet      : where its announcements go
    failed      : called once, from any thread, if the device fails
    """

    def __init__(
        self,
        device: DeviceInfo,
        open_device: Callable[[], AnnouncementKernels],
        hard_nonces: Iterator[int],
        assignment: Assignment,
        outlet: Outlet,
        counters: DeviceCounters,
        failed: Callable[[DeviceError], None],
    ) -> None:
        self.device = device
        self._counters = counters
        self._open_device = open_device
        self._hard_nonces = hard_nonces
        self._assignment = assignment
        self._failed = failed
        self._failure: DeviceError | None = None
        self._failure_lock = threading.Lock()
        self._outlet = outlet
        outlet.on_distrust(self._fail)
        self._thread = threading.Thread(
            target=self._run, name=f"packetcrypt {device.index}", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end; whether it did, or is itself the caller and so will."""
        if self._thread is threading.current_thread():  # Python found a forgotten engine in here
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with ready_kernels(self.device, self._open_device, self._closed) as kernels:
                self._serve(kernels)
        except JobCancelled:
            pass  # closed during the self-test
        except DeviceError as error:
            # Without its traceback, which would hold what the thread had, kernels among it.
            self._fail(DeviceError(str(error)))
        except PacketCryptError as error:
            self._fail(DeviceError(f"device {self.device} cannot mine: {error}"))
        except Exception as error:  # the thread's outermost edge: drivers raise what they like
            if threading.main_thread().is_alive():
                _log.exception("Worker of device %s", self.device)
                self._fail(unexpected_failure(self.device, error))
            # Else the program is ending, and Python took the pools that the kernels compute with
            # before the engine could be closed.
        self._counters.enter(DeviceState.CLOSED)

    def _serve(self, kernels: AnnouncementKernels) -> None:
        """Carry out orders until the last one."""
        launch_size = LaunchSize.of(self.device, kernels)
        order = self._assignment.current
        while not order.closed:
            if order.work is None:
                self._counters.enter(DeviceState.IDLE)
                order = self._assignment.wait_for_change(order)
                continue
            self._counters.enter(DeviceState.MINING)
            self._mine(kernels, order, order.work, launch_size)
            if self._failure is not None:
                return
            order = self._assignment.current

    def _mine(
        self,
        kernels: AnnouncementKernels,
        order: Order,
        work: AnnouncementWork,
        launch_size: LaunchSize,
    ) -> None:
        """Mine `work` until there is another order, or the device turns out to be wrong."""
        pipeline = SearchPipeline(
            kernels,
            (SearchRange.whole(work.job(nonce)) for nonce in self._hard_nonces),
            stopped=lambda: self._assignment.current is not order or self._failure is not None,
            skipped=self._skip,
            launch_size=launch_size,
        )
        work_per_announcement = work_of_compact(work.work_bits)
        before = time.monotonic()
        try:
            for searched in pipeline.run():
                if searched is not None:
                    found = searched.found
                    self._outlet.add(work, searched.job, found)
                    self._counters.searched(
                        searched.nonces, len(found.keys), work_per_announcement, searched.job_done
                    )
                self._outlet.flush_if_due()
                now = time.monotonic()
                self._counters.busy(now - before)
                before = now
        finally:
            # New work, a pause or a failing driver: what was found stays good.
            self._outlet.flush()

    def _closed(self) -> bool:
        return self._assignment.current.closed

    def _skip(self, job: AnnouncementJob, error: ProgramError) -> None:
        _log.info("Job with hard nonce %d is skipped: %s", job.header.hard_nonce, error)
        self._counters.skipped_job()

    def _fail(self, error: DeviceError) -> None:
        with self._failure_lock:
            if self._failure is not None:
                return
            self._failure = error
        self._counters.enter(DeviceState.FAILED, str(error))
        _log.error("%s", error)
        self._failed(error)
