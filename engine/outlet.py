"""When may an announcement leave the device that found it?

Finds of several launches are put together into one batch, for a quarter of a second at most. A
batch of which a sample is being re-checked, and all later ones of the same device, are held until
the verdict. If it is bad, they and everything else from this device are withheld.

A sample comes from a job of which nothing has been delivered yet: long jobs are sampled in their
first batch only. That is what makes the guarantee affordable, for nothing needs to be held back
until a job ends: of a job with a failed sample, and of what the device found after it, no
announcement is ever delivered. The first batch of a device is always sampled.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from packetcrypt.engine.batches import AnnouncementBatch, BatchQueue
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.recheck import Rechecker, Sample
from packetcrypt.engine.statistics import DeviceCounters
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError

#: A batch leaves when it is this old or holds this many announcements (the most that one post
#: takes).
MAX_AGE_S: Final = 0.25
FULL: Final = 1024


class Outlet:
    """The way of one device's announcements into the engine's queue.

    `add`, `flush` and `flush_if_due` belong to the device's worker; verdicts come from the
    re-checker.
    """

    def __init__(
        self,
        device: DeviceInfo,
        target: BatchQueue,
        rechecker: Rechecker,
        counters: DeviceCounters,
        hold_limit: int,
    ) -> None:
        self._device = device
        self._target = target
        self._rechecker = rechecker
        self._counters = counters
        self._distrust: Callable[[DeviceError], None] = lambda error: None
        self._pending: list[FoundAnnouncements] = []
        self._pending_work: AnnouncementWork | None = None
        self._oldest = 0.0
        #: How many of the first announcements in `_pending` belong to a job of which a part has
        #: left already: they are not sampled.
        self._continued = 0
        self._latest_job: AnnouncementJob | None = None
        self._job_divided = False
        self._lock = threading.Lock()
        self._held = BatchQueue(hold_limit, lambda batch: counters.dropped(len(batch)))
        self._holding = False
        self._checked_first = False
        self._distrusted = False

    def on_distrust(self, call: Callable[[DeviceError], None]) -> None:
        """Have `call` called, in the re-checker's thread, when a verdict is bad."""
        self._distrust = call

    def add(self, work: AnnouncementWork, job: AnnouncementJob, found: FoundAnnouncements) -> None:
        """Take what one launch found in a job of `work`; a batch never mixes works."""
        if len(found.keys) == 0:
            return
        if work is not self._pending_work:
            self.flush()
        if not self._pending:
            self._oldest = time.monotonic()
            self._pending_work = work
        if job is not self._latest_job:
            self._latest_job = job
            self._job_divided = False
        if self._job_divided:
            self._continued += len(found.keys)
        self._pending.append(found)

    def flush_if_due(self) -> None:
        """Send the pending batch on its way if it is full or old."""
        if not self._pending:
            return
        full = sum(len(found.keys) for found in self._pending) >= FULL
        if full or time.monotonic() - self._oldest >= MAX_AGE_S:
            self.flush()

    def flush(self) -> None:
        """Send the pending batch on its way now."""
        if not self._pending or self._pending_work is None:
            return
        batch = AnnouncementBatch(
            np.concatenate([found.announcements for found in self._pending]),
            np.concatenate([found.keys for found in self._pending]),
            self._pending_work,
            self._device.index,
        )
        to_sample = range(self._continued, len(batch))
        self._pending = []
        self._continued = 0
        self._job_divided = True
        with self._lock:
            self._forward(batch, to_sample)

    def _forward(self, batch: AnnouncementBatch, to_sample: range) -> None:
        if self._distrusted:
            self._counters.withheld(len(batch))
        elif self._holding:
            self._held.put(batch)
        elif to_sample and (not self._checked_first or self._rechecker.budget.affordable()):
            self._checked_first = True
            self._holding = True
            self._held.put(batch)
            self._rechecker.submit(self._sample(batch, random.choice(to_sample)))
        else:
            self._target.put(batch)

    def _sample(self, batch: AnnouncementBatch, chosen: int) -> Sample:
        return Sample(
            batch.announcements[chosen].tobytes(),
            int(batch.keys[chosen]),
            batch.work,
            self._verdict,
        )

    def _verdict(self, problem: str | None) -> None:
        self._counters.rechecked()
        with self._lock:
            self._holding = False
            held = self._held.drain()
            if problem is None:
                for batch in held:
                    self._target.put(batch)
                return
            self._distrusted = True
            self._counters.withheld(sum(len(batch) for batch in held))
        self._distrust(
            DeviceError(
                f"device {self._device} computes wrong announcements: {problem}. It is stopped, "
                "and what it found since is withheld. Reset any overclocking, update its driver, "
                "or leave the device out (--device chooses others)."
            )
        )
