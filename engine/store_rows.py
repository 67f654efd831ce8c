"""Which rows of an announcement store hold nothing, and which a device has not been told of."""

import threading

import numpy as np

from packetcrypt.engine.key_index import Rows


class RowChanges:
    """Which rows one device has not been told of yet (`BlockKernels.rows_written`)."""

    def __init__(self, lock: threading.Lock, capacity: int) -> None:
        self._lock = lock
        self._changed = np.zeros(capacity, np.bool_)

    def note(self, rows: Rows) -> None:
        """Rows were written. The caller holds the lock."""
        self._changed[rows] = True

    def take(self) -> list[tuple[int, int]]:
        """Ranges (first row, count) written since the last call."""
        with self._lock:
            rows = np.flatnonzero(self._changed)
            self._changed[rows] = False
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        counts = np.diff(starts, append=len(rows))
        return list(zip(rows[starts].tolist(), counts.tolist(), strict=True))


class FreeRows:
    """Rows that hold nothing. They are taken in ascending order where possible, for devices copy
    ranges."""

    def __init__(self, capacity: int) -> None:
        self._fresh = 0
        self._capacity = capacity
        self._returned: list[Rows] = []

    def __len__(self) -> int:
        return self._capacity - self._fresh + sum(map(len, self._returned))

    def give(self, rows: Rows) -> None:
        if len(rows):
            self._returned.append(np.sort(rows))

    def take(self, count: int) -> Rows:
        """The rows of 1 ≤ count ≤ len(self)."""
        pieces = []
        while count and self._returned:
            returned = self._returned.pop()
            pieces.append(returned[:count])
            if len(returned) > count:
                self._returned.append(returned[count:])
            count -= len(pieces[-1])
        pieces.append(np.arange(self._fresh, self._fresh + count, dtype=np.uint32))
        self._fresh += count
        return np.concatenate(pieces)
