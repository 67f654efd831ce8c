"""How finished announcements wait for the program that takes them."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.protocol.errors import DeviceError


@dataclass(frozen=True)
class AnnouncementBatch:
    """Announcements that one device found for one work.

    announcements : (n, 1024) uint8, complete and encrypted
    keys          : (n,) uint64, their dedup keys: first u64 of H32(announcement) (spec 1 §4)
    work          : what they were mined for; after new work a few batches of the old one still come
    device        : `DeviceInfo.index` of the finder
    """

    announcements: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    work: AnnouncementWork
    device: str

    def __len__(self) -> int:
        return len(self.keys)


class BatchQueue:
    """A bounded queue of batches. Thread-safe.

    When `limit` announcements wait and more come, the oldest batches are dropped and handed to
    `dropped`: announcements lose value as blocks pass, so the newest are the ones to keep. The
    newest batch stays even if it alone exceeds the limit.
    """

    def __init__(self, limit: int, dropped: Callable[[AnnouncementBatch], None]) -> None:
        self._limit = limit
        self._dropped = dropped
        self._changed = threading.Condition()
        self._batches: deque[AnnouncementBatch] = deque()
        self._announcements = 0
        self._end: DeviceError | None = None
        self._closed = False

    def put(self, batch: AnnouncementBatch) -> None:
        """Append a batch; never blocks."""
        surplus = []
        with self._changed:
            self._batches.append(batch)
            self._announcements += len(batch)
            while self._announcements > self._limit and len(self._batches) > 1:
                surplus.append(self._take())
            self._changed.notify()
        for old in surplus:
            self._dropped(old)

    def get(self, timeout: float | None = None) -> AnnouncementBatch | None:
        """The oldest batch; None after `timeout` seconds, or when the queue is closed and empty.

        Raises the error given to `fail` when the queue is empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._batches or self._closed or self._end, timeout)
            if self._batches:
                return self._take()
            if self._end is not None and not self._closed:
                raise self._end
            return None

    def drain(self) -> list[AnnouncementBatch]:
        """Take everything."""
        with self._changed:
            return [self._take() for _ in range(len(self._batches))]

    def fail(self, error: DeviceError) -> None:
        """Nothing will ever come again, because of `error`."""
        with self._changed:
            self._end = error
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing will ever come again, because the owner wants it so."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self) -> AnnouncementBatch:
        batch = self._batches.popleft()
        self._announcements -= len(batch)
        return batch
