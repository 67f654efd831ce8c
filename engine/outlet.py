"""When may an announcement leave the device that found it?

Finds of several launches are put together into one batch, for a quarter of a second at most. A
batch of which a sample is being re-checked, and all later ones of the same device, are held until
the verdict. If it is bad, they and everything else from this device are withheld. So what is
guaranteed: no announcement of a batch with a sample that failed, and none that the device found
            after it, is ever delivered. (Batches that
were delivered before went unsampled or passed.)
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
        self._lock = threading.Lock()
        self._held = BatchQueue(hold_limit, lambda batch: counters.dropped(len(batch)))
        self._holding = False
        self._checked_first = False
        self._distrusted = False

    def on_distrust(self, call: Callable[[DeviceError], None]) -> None:
        """Have `call` called, in the re-checker's thread, when a verdict is bad."""
        self._distrust = call

    def add(self, work: AnnouncementWork, found: FoundAnnouncements) -> None:
        """Take what one launch found for `work`; a batch never mixes works."""
        if len(found.keys) == 0:
            return
        if work is not self._pending_work:
            self.flush()
        if not self._pending:
            self._oldest = time.monotonic()
            self._pending_work = work
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
        self._pending = []
        with self._lock:
            self._forward(batch)

    def _forward(self, batch: AnnouncementBatch) -> None:
        if self._distrusted:
            self._counters.withheld(len(batch))
        elif self._holding:
            self._held.put(batch)
        elif not self._checked_first or self._rechecker.budget.affordable():
            self._checked_first = True
            self._holding = True
            self._held.put(batch)
            self._rechecker.submit(self._sample(batch))
        else:
            self._target.put(batch)

    def _sample(self, batch: AnnouncementBatch) -> Sample:
        chosen = random.randrange(len(batch))
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
