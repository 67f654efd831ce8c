"""Which requests to check announcements does a device answer next, and which of them together?"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.protocol.errors import DeviceError

#: Requests that may wait. A request is at most one post of 1024 announcements in practice: 256 MiB.
QUEUE_LIMIT: Final = 256

#: Announcements of requests that are answered together. Checking a few of a job costs milliseconds
#: of launches and hardly more than checking one; more than this the OpenCL kernels take in parts.
TOGETHER: Final = 2048


class CheckerOverloaded(DeviceError):
    """More is asked of a checker than it may keep waiting."""


@dataclass(frozen=True)
class CheckRequest:
    """What somebody asked, and the future for the verdicts.

    announcements : (n, 1024) uint8
    parent_hashes : (n, 32) uint8
    alone         : not to be answered together with others, for that failed
    """

    announcements: npt.NDArray[np.uint8]
    parent_hashes: npt.NDArray[np.uint8]
    alone: bool = False
    future: Future[CheckedAnnouncements] = field(default_factory=Future)

    def claim(self) -> bool:
        """Whether it is still wanted; if so, it can't be cancelled any more."""
        return self.future.running() or self.future.set_running_or_notify_cancel()


class CheckRequests:
    """Requests on their way to the workers; bounded, refusing when full.

    workers : threads that take requests, each for a device
    """

    def __init__(self, workers: int) -> None:
        self.ready: Future[None] = Future()
        self.ready.set_running_or_notify_cancel()  # so that nobody who waits for it cancels it
        self._changed = threading.Condition()
        self._waiting: deque[CheckRequest] = deque()
        self._workers = workers
        self._end: DeviceError | None = None

    @property
    def workers(self) -> int:
        """How many still take requests, or will once they are ready."""
        return 0 if self.ended else self._workers

    @property
    def ended(self) -> bool:
        """Whether no more requests are taken."""
        return self._end is not None

    def put(self, request: CheckRequest) -> None:
        """Let a request wait; raises `CheckerOverloaded`, or why no more are taken."""
        with self._changed:
            if self._end is not None:
                raise self._end
            if len(self._waiting) >= QUEUE_LIMIT:
                raise CheckerOverloaded(
                    f"{QUEUE_LIMIT} requests are waiting to be checked, which is the limit: "
                    "ask again later, or check on more or faster devices"
                )
            self._waiting.append(request)
            self._changed.notify()

    def take(self) -> list[CheckRequest]:
        """Wait for requests: the oldest that nobody cancelled, to be answered together.

        One with any number of announcements, or several with `TOGETHER` at most. None at the end.
        """
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._end is not None)
                if self._end is not None:
                    return []
                if taken := self._take_oldest():
                    return taken

    def give_back(self, requests: Sequence[CheckRequest]) -> None:
        """Have requests that could not be answered together answered one by one, before others."""
        with self._changed:
            if self._end is None:
                alone = (replace(request, alone=True) for request in reversed(requests))
                self._waiting.extendleft(alone)
                self._changed.notify_all()
                return
        _fail(requests, self._end)

    def worker_ready(self) -> None:
        """One worker begins to take requests."""
        with self._changed:
            if not self.ready.done():
                self.ready.set_result(None)

    def worker_failed(self, error: DeviceError) -> None:
        """One worker is gone; the last one takes the queue along."""
        with self._changed:
            self._workers -= 1
            last = self._workers == 0
        if last:
            self.end(error)

    def end(self, error: DeviceError) -> None:
        """Fail what waits, and everything after it, with `error`."""
        with self._changed:
            if self._end is None:
                self._end = error
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify_all()
            if not self.ready.done():
                self.ready.set_exception(error)
        _fail(waiting, error)

    def _take_oldest(self) -> list[CheckRequest]:
        """Empty if all were cancelled."""
        # No more than a share, so that other devices have something to do.
        announcements = sum(len(request.announcements) for request in self._waiting)
        room = min(TOGETHER, -(-announcements // self._workers))
        taken: list[CheckRequest] = []
        while self._waiting:
            request = self._waiting[0]
            if taken and len(request.announcements) > room:
                break
            self._waiting.popleft()
            if not request.claim():
                continue
            taken.append(request)
            room -= len(request.announcements)
            if request.alone:  # such come before all others
                break
        return taken


def _fail(requests: Sequence[CheckRequest], error: DeviceError) -> None:
    for request in requests:
        if request.claim():
            request.future.set_exception(error)
