"""How fast does a device search, with its tables ready and nothing else going on?"""

import time
from collections import deque

from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels, PreparedJob, SearchLaunch
from packetcrypt.protocol.errors import ProgramError

#: A target that practically nothing meets, with more soft nonces than a launch takes.
_WORK = AnnouncementWork(parent_hash=bytes(range(32)), parent_height=1, work_bits=0x03000001)


class SteadySearch:
    """One prepared job that is searched over and over, for a while and again."""

    def __init__(self, kernels: AnnouncementKernels, size: LaunchSize) -> None:
        self._kernels = kernels
        self._size = size
        self._prepared = _prepare_any(kernels)
        self._in_flight: deque[tuple[SearchLaunch, int]] = deque()

    def rate(self, seconds: float) -> float:
        """Nonces a second, measured between landings over at least `seconds`."""
        for _ in range(self._kernels.launches):
            self._submit()
        self._land()
        nonces = 0
        start = landed = time.monotonic()
        while landed - start < seconds:
            self._submit()
            searched = self._land()
            now = time.monotonic()
            self._size.measured(searched, now - landed)
            nonces += searched
            landed = now
        while self._in_flight:
            self._land()
        return nonces / (landed - start)

    def _submit(self) -> None:
        nonces = self._size.nonces
        self._in_flight.append((self._kernels.search(self._prepared, 0, nonces), nonces))

    def _land(self) -> int:
        launch, nonces = self._in_flight.popleft()
        launch.result()
        return nonces


def _prepare_any(kernels: AnnouncementKernels) -> PreparedJob:
    hard_nonce = 0
    while True:
        steps = kernels.prepare(_WORK.job(hard_nonce), slot=0)
        try:
            while True:
                next(steps)
        except StopIteration as finished:
            prepared: PreparedJob = finished.value
            return prepared
        except ProgramError:
            hard_nonce += 1
