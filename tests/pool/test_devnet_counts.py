"""What the miners say is added up; the lines are made as the miners make them."""

from packetcrypt.miner.accounting import FoundCounts, PoolCounts
from packetcrypt.miner.block_log_line import BlockMinerReport, ShareCounts, format_block_report
from packetcrypt.miner.log_line import MinerReport, PoolReport, format_report
from packetcrypt.pool.devnet_counts import MinerCounts
from packetcrypt.pool.devnet_summary import WorkCounts


def announcement_line(accepted: int, rejected: int, overloaded: int) -> str:
    counts = PoolCounts(accepted=accepted, rejected=rejected, overloaded=overloaded)
    pool = PoolReport("http://127.0.0.1:1", counts, 0, True)
    return f"1763890830 INFO {format_report(MinerReport(10.0, FoundCounts(), (pool,)))}"


def share_line(accepted: int, rejected: int, lost: int) -> str:
    report = BlockMinerReport(
        shares=ShareCounts(accepted, rejected, lost),
        hashes_per_second=118_000.0,
        multiplier=1,
        set_count=1,
        set_difficulty=256,
        ready=1,
        immature=0,
        classes=1,
        sprayed_per_second=0.0,
        downloaded=(0.0,),
    )
    return f"1763890830 INFO {format_block_report(report)}"


def test_announcements() -> None:
    counts = MinerCounts()
    assert counts.announcement_speed == "-"
    counts.note("ann", announcement_line(1024, 3, 2))
    counts.note("ann", announcement_line(512, 0, 0))
    assert counts.announcements == WorkCounts(1536, 5)
    assert counts.announcement_speed == "0.0 Ke/s"


def test_shares_lost_ones_are_not_rejected() -> None:
    counts = MinerCounts()
    counts.note("blk", share_line(7, 2, 30))
    counts.note("blk", share_line(1, 0, 0))
    assert counts.shares == WorkCounts(8, 2)
    assert counts.block_speed == "118 Ke/s"


def test_other_lines_count_nothing() -> None:
    counts = MinerCounts()
    counts.note("ann", "1763890830 INFO Mining for block 1000006 (ac5ae54438f4a9dd…)")
    counts.note("ah0", announcement_line(1024, 0, 0))
    counts.note("blk", announcement_line(1024, 0, 0))
    assert (counts.announcements, counts.shares) == (WorkCounts(), WorkCounts())
