"""What the paymaker has done so far, and the log line that says so."""

from dataclasses import dataclass, replace
from typing import Self

from packetcrypt.pool.ledger_rows import Recorded


@dataclass
class PaymakerStatistics:
    """Counters since the start.

    uploads  : pay logs that were acknowledged; replays are those of them that came before, and
               failed those that could not be written; overloaded were turned away
    events   : new ones; repeated are those that came again
    refused  : lines that were no events
    payouts  : told to the node; error_payouts are those that paid the error address instead, and
               failed_payouts those that the node took neither way
    """

    uploads: int = 0
    replays: int = 0
    failed: int = 0
    overloaded: int = 0
    announcement_posts: int = 0
    shares: int = 0
    blocks: int = 0
    repeated: int = 0
    refused: int = 0
    payouts: int = 0
    error_payouts: int = 0
    failed_payouts: int = 0

    @property
    def events(self) -> int:
        return self.announcement_posts + self.shares + self.blocks

    def count(self, recorded: Recorded, refused: int) -> None:
        """Adds one acknowledged upload, with its lines that were no events."""
        self.uploads += 1
        self.replays += recorded.is_replay
        self.announcement_posts += len(recorded.rows.announcement_posts)
        self.shares += len(recorded.rows.shares)
        self.blocks += len(recorded.rows.blocks)
        self.repeated += recorded.repeated
        self.refused += 0 if recorded.is_replay else refused

    def snapshot(self) -> Self:
        """The counters as they are now."""
        return replace(self)

    def line(self, before: Self, seconds: float, queued: int) -> str:
        """What happened since `before`, `seconds` ago, e.g.

        "events 1200 (20.0/s) repeated 3 refused 0; uploads 4 replays 1 failed 0 queued 0"
        """
        events = self.events - before.events
        return (
            f"events {events} ({events / seconds:.1f}/s) "
            f"repeated {self.repeated - before.repeated} refused {self.refused - before.refused}; "
            f"uploads {self.uploads - before.uploads} replays {self.replays - before.replays} "
            f"failed {self.failed - before.failed} queued {queued}"
        )
