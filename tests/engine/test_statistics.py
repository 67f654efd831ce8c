"""Counters and the rates made of them."""

import pytest

from packetcrypt.engine.device_info import numpy_device
from packetcrypt.engine.statistics import (
    DeviceCounters,
    DeviceState,
    DeviceStatistics,
    EngineStatistics,
)

DEVICE = numpy_device()


def test_counters_add_up() -> None:
    counters = DeviceCounters(DEVICE)

    counters.enter(DeviceState.MINING)
    counters.searched(1000, announcements=3, work=128, job_done=False)
    counters.searched(500, announcements=1, work=128, job_done=True)
    counters.skipped_job()
    counters.dropped(2)
    counters.withheld(1)
    counters.rechecked()
    counters.busy(0.5)

    assert counters.snapshot() == DeviceStatistics(
        device=DEVICE,
        state=DeviceState.MINING,
        nonces=1500,
        announcements=4,
        announced_work=512,
        jobs=1,
        skipped_jobs=1,
        dropped=2,
        withheld=1,
        rechecked=1,
        busy_seconds=0.5,
    )


def test_a_snapshot_does_not_change() -> None:
    counters = DeviceCounters(DEVICE)
    snapshot = counters.snapshot()

    counters.dropped(5)

    assert snapshot.dropped == 0


def test_a_failed_device_stays_failed() -> None:
    counters = DeviceCounters(DEVICE)

    counters.enter(DeviceState.FAILED, "broken")
    counters.enter(DeviceState.CLOSED)

    assert counters.snapshot().state is DeviceState.FAILED
    assert counters.snapshot().error == "broken"


def test_rates_are_differences_by_time_over_all_devices() -> None:
    before = EngineStatistics(
        (DeviceStatistics(DEVICE, nonces=100, announcements=1, announced_work=128),) * 2,
        taken_at=10.0,
    )
    after = EngineStatistics(
        (DeviceStatistics(DEVICE, nonces=1100, announcements=6, announced_work=768),) * 2,
        taken_at=14.0,
    )

    rates = after.rates_since(before)

    assert rates.seconds == 4
    assert rates.hashes_per_second == 500
    assert rates.estimated_hashes_per_second == 320
    assert rates.announcements_per_second == 2.5


@pytest.mark.parametrize("taken_at", [10.0, 9.0])
def test_no_time_gives_no_rate(taken_at: float) -> None:
    before = EngineStatistics((DeviceStatistics(DEVICE),), taken_at=10.0)
    after = EngineStatistics((DeviceStatistics(DEVICE, nonces=5),), taken_at=taken_at)

    assert after.rates_since(before).hashes_per_second == 0
