"""The block miner's line, letter by letter."""

import pytest

from packetcrypt.miner.block_log_line import (
    BlockMinerReport,
    ShareCounts,
    format_block_report,
    format_rate,
)


def test_the_line() -> None:
    report = BlockMinerReport(
        shares=ShareCounts(12, 1, 2, blocks=1),
        hashes_per_second=118_200.0,
        multiplier=28_850,
        set_count=1_048_576,
        set_difficulty=128,
        ready=1_200_000,
        immature=3072,
        classes=7,
        sprayed_per_second=520.4,
        downloaded=(12_300_000.0, 0.0),
    )
    assert format_block_report(report) == (
        "shr: 12/1/2 real: 118 Ke/s eff: 3.41 Ge/s anns: 1048576 @ 128 rdy: 1200000 "
        "spr: 520/s imm: 3072 cls: 7 <- [12.30Mb/s, 0.00Mb/s]"
    )


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0 e/s"),
        (7.6, "8 e/s"),
        (999.4, "999 e/s"),
        (999.6, "1.00 Ke/s"),
        (9_994, "9.99 Ke/s"),
        (9_996, "10.0 Ke/s"),
        (99_960, "100 Ke/s"),
        (999_600, "1.00 Me/s"),
        (3.41e18, "3.41 Ee/s"),
        (1e22, "10000 Ee/s"),
    ],
)
def test_rates_have_three_digits(rate: float, text: str) -> None:
    assert format_rate(rate) == text


def test_share_counts_add_and_subtract() -> None:
    first, second = ShareCounts(1, 2, 3, 4), ShareCounts(10, 20, 30, 40)
    assert first.plus(second).since(first) == second
