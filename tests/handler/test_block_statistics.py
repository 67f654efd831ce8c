"""What the regular log line says."""

from packetcrypt.handler.block_statistics import BlockStatistics


def test_the_line_is_about_what_happened_since() -> None:
    statistics = BlockStatistics(accepted=100, stale=1)
    before = statistics.snapshot()
    statistics.accepted += 64
    statistics.blocks += 1
    statistics.duplicates += 2
    statistics.stale += 3
    statistics.invalid += 4
    statistics.rejected += 5
    statistics.failed += 6
    statistics.overloaded += 7

    assert statistics.line(before, 10.0, 8) == (
        "shares 64 (6.4/s) blocks 1 dup 2 stale 3 inval 4 rejected 5 failed 6 overloaded 7 queued 8"
    )
