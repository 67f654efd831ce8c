"""What the sprayer's log line says."""

from packetcrypt.client.subscription_statistics import (
    SprayerLinkStatistics,
    SubscriptionStatistics,
)
from packetcrypt.handler.sprayer_statistics import SprayerStatistics


def test_what_was_sprayed_since_the_last_line() -> None:
    before = SprayerStatistics(100, 1, 200, 2, 3, receivers=5)
    now = SprayerStatistics(5220, 2, 10440, 4, 6, receivers=2)

    assert now.line(before, 10.0) == (
        "sprayer: taken 5120 (512/s) dropped 1; sent 10240 to 2 (8.5 Mb/s) failed 2; refused 3"
    )


def _received(received: int, lost: int) -> SubscriptionStatistics:
    link = SprayerLinkStatistics("s", received, lost, divides=None)
    return SubscriptionStatistics(received, lost, received, lost, (link,))


def test_what_was_received_since_the_last_line() -> None:
    assert _received(5121, 9).line(_received(1, 7), 10.0) == (
        "from sprayers: received 5120 (512/s) lost 2 dropped 2; wrong source 5120 malformed 2"
    )


def test_an_estimate_that_shrinks_is_no_negative_loss() -> None:
    # Counters that come late fill gaps that were taken for losses.
    assert " lost 0 " in _received(5121, 3).line(_received(1, 7), 10.0)
