"""What the regular log line says."""

from handler_setup import PAY_TO

from packetcrypt.handler.statistics import HandlerStatistics
from packetcrypt.protocol.pool_messages import AnnouncementPostResult


def _result(accepted: int) -> AnnouncementPostResult:
    return AnnouncementPostResult(PAY_TO, accepted, 1, 2, 3, 0, 4, 0, 0, 0, 0, "00" * 16)


def test_the_line_tells_the_last_seconds_only() -> None:
    statistics = HandlerStatistics()
    statistics.count(_result(1000))
    before = statistics.snapshot()
    statistics.count(_result(5000))
    statistics.count(_result(120))
    statistics.overloaded += 7
    statistics.refused += 8

    assert statistics.line(before, 10.0, queued=9) == (
        "accepted 5120 (512/s, 4.2 Mb/s) dup 2 inval 4 badHash 6 internalErr 8; "
        "posts 2 refused 8 overloaded 7 queued 9"
    )


def test_a_snapshot_does_not_change() -> None:
    statistics = HandlerStatistics()
    before = statistics.snapshot()
    statistics.count(_result(1))

    assert before == HandlerStatistics()
