"""Which announcements have been sprayed lately, so that sprayers in a ring pass each on once."""

import threading

import numpy as np

from packetcrypt.client.announcement_queue import Announcements
from packetcrypt.handler.dedup import KeyTable, Mask, dedup_keys


class RecentAnnouncements:
    """Remembers the dedup keys of the last `capacity` announcements at least, twice those at most.

    8 bytes each. Any thread may use it.
    """

    def __init__(self, capacity: int = 1 << 20) -> None:
        self._capacity = capacity
        self._younger = KeyTable()
        self._older = KeyTable()
        self._lock = threading.Lock()

    def add(self, announcements: Announcements) -> Mask:
        """Remembers (n, 1024) uint8 announcements; true where one was not known yet."""
        keys = dedup_keys(announcements.tobytes())
        with self._lock:
            is_new = ~self._older.contains(keys) & ~self._younger.contains(keys)
            _, first = np.unique(keys, return_index=True)
            is_first = np.zeros(len(keys), np.bool_)
            is_first[first] = True
            is_new &= is_first
            self._younger.add(keys[is_new])
            if len(self._younger) >= self._capacity:
                self._older, self._younger = self._younger, KeyTable()
        return is_new
