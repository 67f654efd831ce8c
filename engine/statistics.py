"""What an engine has done so far, in counters that anyone may read at any time."""

import threading
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum

from packetcrypt.engine.device_info import DeviceInfo


class DeviceState(StrEnum):
    """What a device's worker is doing."""

    STARTING = "starting"
    """opening the device, compiling kernels, self-test"""
    IDLE = "idle"
    """ready, without work"""
    MINING = "mining"
    FAILED = "failed"
    """stopped for good; the statistics hold the error"""
    CLOSED = "closed"


@dataclass(frozen=True)
class DeviceStatistics:
    """Counters of one device since the engine was made.

    error           : why it failed, if it did
    nonces          : soft nonces searched in launches that ran to their end
    announcements   : announcements found
    announced_work  : sum over them of the work that their target stands for, in expected hashes
    jobs            : jobs searched to their end
    skipped_jobs    : jobs without results because a random program of theirs is invalid
    dropped         : announcements lost because nobody took them in time
    withheld        : announcements not delivered because the device failed a re-check
    rechecked       : announcements that the host's plain implementation re-checked
    busy_seconds    : time spent on preparing and searching
    """

    device: DeviceInfo
    state: DeviceState = DeviceState.STARTING
    error: str | None = None
    nonces: int = 0
    announcements: int = 0
    announced_work: int = 0
    jobs: int = 0
    skipped_jobs: int = 0
    dropped: int = 0
    withheld: int = 0
    rechecked: int = 0
    busy_seconds: float = 0.0


@dataclass(frozen=True)
class Rates:
    """Speed of an engine between two snapshots, `seconds` apart.

    hashes_per_second           : nonces searched, as counted
    estimated_hashes_per_second : announcements found × their work: what a pool would see
    announcements_per_second    : announcements found
    """

    seconds: float
    hashes_per_second: float
    estimated_hashes_per_second: float
    announcements_per_second: float


@dataclass(frozen=True)
class EngineStatistics:
    """A snapshot of all devices, taken at `taken_at` (time.monotonic)."""

    devices: tuple[DeviceStatistics, ...]
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def nonces(self) -> int:
        return sum(device.nonces for device in self.devices)

    @property
    def announcements(self) -> int:
        return sum(device.announcements for device in self.devices)

    @property
    def announced_work(self) -> int:
        return sum(device.announced_work for device in self.devices)

    @property
    def dropped(self) -> int:
        return sum(device.dropped for device in self.devices)

    def rates_since(self, earlier: "EngineStatistics") -> Rates:
        """Speed between an earlier snapshot and this one; zeros if no time passed."""
        seconds = self.taken_at - earlier.taken_at
        scale = 1 / seconds if seconds > 0 else 0.0
        return Rates(
            seconds=seconds,
            hashes_per_second=(self.nonces - earlier.nonces) * scale,
            estimated_hashes_per_second=(self.announced_work - earlier.announced_work) * scale,
            announcements_per_second=(self.announcements - earlier.announcements) * scale,
        )


class DeviceCounters:
    """The counters of one device while they grow. Thread-safe."""

    def __init__(self, device: DeviceInfo) -> None:
        self._lock = threading.Lock()
        self._statistics = DeviceStatistics(device)

    def snapshot(self) -> DeviceStatistics:
        """The counters now."""
        return self._statistics

    def enter(self, state: DeviceState, error: str | None = None) -> None:
        """Note a new state. A failed device stays failed."""
        with self._lock:
            if self._statistics.state is not DeviceState.FAILED:
                self._statistics = replace(self._statistics, state=state, error=error)

    def searched(self, nonces: int, announcements: int, work: int, job_done: bool) -> None:
        """A launch ended: `work` is what one of its announcements stands for."""
        self._add(
            nonces=nonces,
            announcements=announcements,
            announced_work=announcements * work,
            jobs=int(job_done),
        )

    def skipped_job(self) -> None:
        """A job could not be mined."""
        self._add(skipped_jobs=1)

    def dropped(self, announcements: int) -> None:
        """Announcements fell out of a full queue."""
        self._add(dropped=announcements)

    def withheld(self, announcements: int) -> None:
        """Announcements are not delivered because their device cannot be trusted."""
        self._add(withheld=announcements)

    def rechecked(self) -> None:
        """An announcement was re-checked by the host."""
        self._add(rechecked=1)

    def busy(self, seconds: float) -> None:
        """Time went into preparing and searching."""
        with self._lock:
            now = self._statistics
            self._statistics = replace(now, busy_seconds=now.busy_seconds + seconds)

    def _add(self, **amounts: int) -> None:
        """Increase the counters of these names."""
        with self._lock:
            now = self._statistics
            sums = {name: getattr(now, name) + amount for name, amount in amounts.items()}
            self._statistics = replace(now, **sums)
