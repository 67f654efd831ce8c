"""What the thread of one device does: open it, test it, mine what is ordered, stop."""

import logging
import time
from collections.abc import Callable, Iterator

from packetcrypt.engine.assignment import Assignment, Order
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.device_thread import DeviceThread
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
from packetcrypt.protocol.errors import DeviceError, ProgramError

_log = logging.getLogger(__name__)


class DeviceWorker(DeviceThread):
    """One device that mines announcements, and its thread. The thread starts with `start`.

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
        super().__init__(device, f"packetcrypt {device.index}", "mine", counters, failed)
        self._counters = counters
        self._open_device = open_device
        self._hard_nonces = hard_nonces
        self._assignment = assignment
        self._outlet = outlet
        outlet.on_distrust(self._fail)

    def _work(self) -> None:
        try:
            with ready_kernels(self.device, self._open_device, self._closed) as kernels:
                self._serve(kernels)
        except JobCancelled:
            pass  # closed during the self-test

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
