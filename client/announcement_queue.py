"""Where received announcements wait for whoever takes them: bounded, the oldest dropped."""

import threading
import time
from collections import deque

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE

Announcements = npt.NDArray[np.uint8]
"""(n, 1024)"""


class AnnouncementQueue:
    """Arrays of announcements, from one thread to another.

    capacity : announcements of 1 KiB that may wait
    dropped  : how many had to give way to newer ones
    """

    def __init__(self, capacity: int) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._waiting: deque[Announcements] = deque()
        self._size = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return self._size

    def put(self, announcements: Announcements) -> None:
        """Adds announcements, which the caller must not change any more. Never blocks."""
        if not len(announcements):
            return
        with self._changed:
            self._waiting.append(announcements)
            self._size += len(announcements)
            while self._size > self._capacity:
                surplus = self._size - self._capacity
                oldest = self._waiting.popleft()
                if len(oldest) > surplus:
                    self._waiting.appendleft(oldest[surplus:])
                gone = min(surplus, len(oldest))
                self._size -= gone
                self.dropped += gone
            self._changed.notify()

    def take(self, limit: int) -> Announcements:
        """The oldest announcements, at most `limit`, without waiting; (0, 1024) if there are none.

        They are copied only if they were put in several pieces.
        """
        with self._changed:
            return self._take(limit)

    def get(self, limit: int, timeout: float | None = None) -> Announcements:
        """As `take`, but waits for the first one; (0, 1024) after so many seconds, or when closed.

        timeout : None waits for ever
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._size and not self._is_closed:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            return self._take(limit)

    def close(self) -> None:
        """Ends all waiting in `get`; what is there can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _take(self, limit: int) -> Announcements:
        pieces: list[Announcements] = []
        room = limit
        while room and self._waiting:
            piece = self._waiting.popleft()
            if len(piece) > room:
                self._waiting.appendleft(piece[room:])
                piece = piece[:room]
            pieces.append(piece)
            room -= len(piece)
        self._size -= limit - room
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate(pieces) if pieces else np.empty((0, ANNOUNCEMENT_SIZE), np.uint8)
