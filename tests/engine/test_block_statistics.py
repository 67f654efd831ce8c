"""Counters of a block engine: what they add up to, and speeds between two snapshots."""

import pytest

from packetcrypt.engine.block_statistics import (
    BlockDeviceCounters,
    BlockEngineStatistics,
    StoreStatistics,
)
from packetcrypt.engine.device_info import numpy_device
from packetcrypt.engine.statistics import DeviceState

STORE = StoreStatistics(capacity=10, free=3, classes={(1, 2): 3, (1, 3): 4})


def test_counters_add_up() -> None:
    counters = BlockDeviceCounters(numpy_device())
    counters.count(hashes=100, shares=1)
    before = counters.snapshot()
    counters.count(hashes=50, dropped=2, withheld=3, trees=1)
    after = counters.snapshot()
    assert (before.hashes, before.shares, before.trees) == (100, 1, 0)
    assert (after.hashes, after.shares, after.trees) == (150, 1, 1)
    assert (after.dropped, after.withheld) == (2, 3)


def test_a_failed_device_stays_failed() -> None:
    counters = BlockDeviceCounters(numpy_device())
    counters.enter(DeviceState.FAILED, "on fire")
    counters.enter(DeviceState.CLOSED)
    assert counters.snapshot().state is DeviceState.FAILED
    assert counters.snapshot().error == "on fire"


def test_rates_are_of_all_devices() -> None:
    one, other = BlockDeviceCounters(numpy_device()), BlockDeviceCounters(numpy_device())

    def now(at: float) -> BlockEngineStatistics:
        return BlockEngineStatistics((one.snapshot(), other.snapshot()), STORE, None, at)

    before = now(10.0)
    one.count(hashes=100, shares=3)
    other.count(hashes=300, shares=1)
    rates = now(14.0).rates_since(before)
    assert rates.seconds == pytest.approx(4.0)
    assert rates.hashes_per_second == pytest.approx(100.0)
    assert rates.shares_per_second == pytest.approx(1.0)
    assert now(10.0).rates_since(before).hashes_per_second == 0


def test_the_store_counts_what_can_be_chosen() -> None:
    assert STORE.count == 7
