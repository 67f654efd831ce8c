"""What has come from sprayers so far, and the log line that says so."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SprayerLinkStatistics:
    """One sprayer since the start: records received and, estimated, lost on the way.

    divides : whether it sends shares; None: not known
    """

    name: str
    received: int
    lost: int
    divides: bool | None


@dataclass(frozen=True)
class SubscriptionStatistics:
    """Counters since the start.

    received, dropped       : announcements; dropped because nobody took them in time
    wrong_source, malformed : datagrams (of one sender and put together: as one)
    links                   : one a sprayer
    """

    received: int
    dropped: int
    wrong_source: int
    malformed: int
    links: tuple[SprayerLinkStatistics, ...]

    @property
    def lost(self) -> int:
        """Announcements lost on the way, estimated."""
        return sum(link.lost for link in self.links)

    def line(self, before: "SubscriptionStatistics", seconds: float) -> str:
        """What happened since `before`, `seconds` ago, e.g.

        "from sprayers: received 5120 (512/s) lost 0 dropped 0; wrong source 0 malformed 0"
        """
        received = self.received - before.received
        return (
            f"from sprayers: received {received} ({received / seconds:.0f}/s) "
            f"lost {max(0, self.lost - before.lost)} dropped {self.dropped - before.dropped}; "
            f"wrong source {self.wrong_source - before.wrong_source} "
            f"malformed {self.malformed - before.malformed}"
        )
