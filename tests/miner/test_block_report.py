"""How counters become a report."""

from packetcrypt.engine.block_statistics import (
    BlockDeviceStatistics,
    BlockEngineStatistics,
    SetStatistics,
    StoreStatistics,
)
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.miner.block_log_line import ShareCounts
from packetcrypt.miner.block_report import BlockMinerReading, report_between

HEIGHT = 1000
CLASSES = {
    (996, 0x2001FFFF): 100,
    (997, 0x2001FFFF): 50,
    (998, 0x2001FFFF): 7,
    (700, 0x207FFFFF): 3,
}
DEVICE = DeviceInfo(
    index="0:0", kind=DeviceKind.CPU, name="x", platform="y", driver="z", compute_units=1, memory=1
)


def reading(
    taken_at: float,
    hashes: int,
    *,
    mined: SetStatistics | None = None,
    sprayed: int = 0,
    dropped: int = 0,
) -> BlockMinerReading:
    engine = BlockEngineStatistics(
        (BlockDeviceStatistics(DEVICE, hashes=hashes, dropped=dropped),),
        StoreStatistics(1000, 800, CLASSES),
        mined,
        taken_at,
    )
    shares = ShareCounts(accepted=hashes // 1000)
    return BlockMinerReading(engine, shares, sprayed, {"http://a": hashes, "http://b": 5})


MINED = SetStatistics(150, 0x2003FFFE, 1440, 0x1E00FFFF, 0x1D00FFFF)


def test_rates_are_over_the_time_between() -> None:
    report = report_between(
        reading(100.0, 10_000),
        reading(110.0, 60_000, mined=MINED, sprayed=40),
        HEIGHT,
        ["http://b", "http://a"],
    )
    assert report.hashes_per_second == 5000
    assert report.shares == ShareCounts(accepted=50)
    assert report.sprayed_per_second == 4
    assert report.downloaded == (0, 40_000)
    assert (report.multiplier, report.set_count, report.set_difficulty) == (1440, 150, 64)


def test_classes_are_ready_young_or_too_old() -> None:
    report = report_between(reading(1.0, 0), reading(2.0, 0, mined=MINED), HEIGHT, [])
    assert (report.ready, report.immature, report.classes) == (150, 7, 4)


def test_before_there_is_work() -> None:
    report = report_between(reading(1.0, 0), reading(1.0, 0), None, [])
    assert (report.ready, report.immature, report.multiplier, report.set_difficulty) == (0, 0, 0, 0)
    assert report.hashes_per_second == 0


def test_what_the_engine_dropped_is_lost() -> None:
    report = report_between(reading(1.0, 0, dropped=3), reading(2.0, 0, dropped=10), HEIGHT, [])
    assert report.shares == ShareCounts(lost=7)
