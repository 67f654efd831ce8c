"""How what an engine found waits for the program that takes it."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from packetcrypt.protocol.errors import DeviceError

T = TypeVar("T")


class DeliveryQueue(Generic[T]):
    """A bounded queue. Thread-safe.

    When what waits is larger than `limit`, the oldest is dropped and handed to `dropped`: finds
    lose value as blocks pass, so the newest are the ones to keep. The newest stays even if it alone
    exceeds the limit.

    size_of : what one counts against the limit
    """

    def __init__(
        self, limit: int, dropped: Callable[[T], None], size_of: Callable[[T], int]
    ) -> None:
        self._limit = limit
        self._dropped = dropped
        self._size_of = size_of
        self._changed = threading.Condition()
        self._waiting: deque[T] = deque()
        self._size = 0
        self._end: DeviceError | None = None
        self._closed = False

    def put(self, one: T) -> None:
        """Append one; never blocks."""
        surplus = []
        with self._changed:
            self._waiting.append(one)
            self._size += self._size_of(one)
            while self._size > self._limit and len(self._waiting) > 1:
                surplus.append(self._take())
            self._changed.notify()
        for old in surplus:
            self._dropped(old)

    def get(self, timeout: float | None = None) -> T | None:
        """The oldest; None after `timeout` seconds, or when the queue is closed and empty.

        Raises the error given to `fail` when the queue is empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed or self._end, timeout)
            if self._waiting:
                return self._take()
            if self._end is not None and not self._closed:
                raise self._end
            return None

    def drain(self) -> list[T]:
        """Take everything."""
        with self._changed:
            return [self._take() for _ in range(len(self._waiting))]

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

    def _take(self) -> T:
        one = self._waiting.popleft()
        self._size -= self._size_of(one)
        return one
