"""The ten-second line, to the letter."""

import re

import pytest

from packetcrypt.miner.accounting import FoundCounts, PoolCounts
from packetcrypt.miner.log_line import (
    MinerReport,
    PoolReport,
    format_goodrate,
    format_hashrate,
    format_report,
)


def pool(counts: PoolCounts, uploading: int = 0, is_up: bool = True) -> PoolReport:
    return PoolReport("http://pool.example", counts, uploading, is_up)


def test_one_healthy_pool() -> None:
    report = MinerReport(
        seconds=10.0,
        found=FoundCounts(announcements=20_000, hashes=4_671_234),
        pools=(pool(PoolCounts(accepted=26_932, sent_bytes=35_700_000)),),
    )
    assert format_report(report) == (
        "467 Ke/s 28.56Mb/s overflow: [0] uploading: [0] "
        "accept/reject/overload: [26932/0/0] - goodrate: [100%]"
    )


def test_four_pools_in_all_conditions() -> None:
    report = MinerReport(
        seconds=10.0,
        found=FoundCounts(announcements=7_928, hashes=25_000),
        pools=(
            pool(PoolCounts(accepted=26_932, sent_bytes=1_250_000)),
            pool(PoolCounts(), is_up=False),
            pool(PoolCounts(accepted=4_856, lost=3_072, sent_bytes=1_250_000), uploading=17_632),
            pool(PoolCounts(accepted=796, rejected=3, overloaded=1)),
        ),
    )
    assert format_report(report) == (
        "2.5 Ke/s 2.00Mb/s overflow: [0, 0, 3072, 0] uploading: [0, 0, 17632, 0] "
        "accept/reject/overload: [26932/0/0, 0/0/0, 4856/0/0, 796/3/1] "
        "- goodrate: [100%, 0%, 61%, 99%]"
    )


def test_no_time_is_no_rate() -> None:
    report = MinerReport(seconds=0.0, found=FoundCounts(), pools=(pool(PoolCounts()),))
    assert re.match(r"0\.0 Ke/s 0\.00Mb/s overflow: \[0\] ", format_report(report))


@pytest.mark.parametrize(
    ("counts", "is_up", "text"),
    [
        (PoolCounts(accepted=5), True, "100%"),
        (PoolCounts(accepted=5), False, "100%"),
        (PoolCounts(accepted=99_999, rejected=1), True, "99%"),
        (PoolCounts(rejected=5), True, "0%"),
        (PoolCounts(overloaded=5), True, "0%"),
        (PoolCounts(lost=5), True, "0%"),
        (PoolCounts(accepted=1, rejected=1, overloaded=1, lost=1), True, "25%"),
        (PoolCounts(), True, "-"),
        (PoolCounts(), False, "0%"),
    ],
)
def test_goodrate(counts: PoolCounts, is_up: bool, text: str) -> None:
    assert format_goodrate(pool(counts, is_up=is_up)) == text


@pytest.mark.parametrize(
    ("hashes", "text"),
    [
        (0, "0.0 Ke/s"),
        (949, "0.9 Ke/s"),
        (9_949, "9.9 Ke/s"),
        (9_950, "10 Ke/s"),
        (467_499, "467 Ke/s"),
        (50_000_000, "50000 Ke/s"),
    ],
)
def test_hashrate(hashes: float, text: str) -> None:
    assert format_hashrate(hashes) == text
