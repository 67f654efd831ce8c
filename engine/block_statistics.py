"""What a block engine has done so far, in counters that anyone may read at any time."""

import threading
import time
from dataclasses import dataclass, field, replace

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.statistics import DeviceState


@dataclass(frozen=True)
class BlockDeviceStatistics:
    """Counters of one device since the engine was made.

    error    : why it failed, if it did
    hashes   : block hashes searched in launches that ran to their end
    shares   : shares delivered, blocks among them
    dropped  : finds and shares lost because they came faster than they were made or taken, or
               because announcements of theirs were forgotten
    withheld : finds not delivered because the device computed wrongly
    trees    : proof trees built
    """

    device: DeviceInfo
    state: DeviceState = DeviceState.STARTING
    error: str | None = None
    hashes: int = 0
    shares: int = 0
    dropped: int = 0
    withheld: int = 0
    trees: int = 0


@dataclass(frozen=True)
class StoreStatistics:
    """How full the store is.

    capacity, free : announcements; what is neither free nor in a class is still being mined
    classes        : (parent height, work bits) → announcements
    """

    capacity: int
    free: int
    classes: dict[tuple[int, int], int]

    @property
    def count(self) -> int:
        """Announcements that a set can be chosen of."""
        return sum(self.classes.values())


@dataclass(frozen=True)
class SetStatistics:
    """The set that is mined.

    max_target   : the largest degraded compact target in it
    multiplier   : its power multiplier
    share_target : effective compact target of a share
    block_target : effective compact target of a block
    """

    count: int
    max_target: int
    multiplier: int
    share_target: int
    block_target: int


@dataclass(frozen=True)
class BlockRates:
    """Speed of an engine between two snapshots, `seconds` apart."""

    seconds: float
    hashes_per_second: float
    shares_per_second: float


@dataclass(frozen=True)
class BlockEngineStatistics:
    """A snapshot of an engine, taken at `taken_at` (time.monotonic); `mined` None: nothing is."""

    devices: tuple[BlockDeviceStatistics, ...]
    store: StoreStatistics
    mined: SetStatistics | None
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def hashes(self) -> int:
        return sum(device.hashes for device in self.devices)

    @property
    def shares(self) -> int:
        return sum(device.shares for device in self.devices)

    def rates_since(self, earlier: "BlockEngineStatistics") -> BlockRates:
        """Speed between an earlier snapshot and this one; zeros if no time passed."""
        seconds = self.taken_at - earlier.taken_at
        scale = 1 / seconds if seconds > 0 else 0.0
        return BlockRates(
            seconds=seconds,
            hashes_per_second=(self.hashes - earlier.hashes) * scale,
            shares_per_second=(self.shares - earlier.shares) * scale,
        )


class BlockDeviceCounters:
    """The counters of one device while they grow. Thread-safe."""

    def __init__(self, device: DeviceInfo) -> None:
        self._lock = threading.Lock()
        self._statistics = BlockDeviceStatistics(device)

    def snapshot(self) -> BlockDeviceStatistics:
        """The counters now."""
        return self._statistics

    def enter(self, state: DeviceState, error: str | None = None) -> None:
        """Note a new state. A failed device stays failed."""
        with self._lock:
            if self._statistics.state is not DeviceState.FAILED:
                self._statistics = replace(self._statistics, state=state, error=error)

    def count(
        self,
        *,
        hashes: int = 0,
        shares: int = 0,
        dropped: int = 0,
        withheld: int = 0,
        trees: int = 0,
    ) -> None:
        """Add to counters."""
        with self._lock:
            now = self._statistics
            self._statistics = replace(
                now,
                hashes=now.hashes + hashes,
                shares=now.shares + shares,
                dropped=now.dropped + dropped,
                withheld=now.withheld + withheld,
                trees=now.trees + trees,
            )
