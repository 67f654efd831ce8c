"""What `GET /stats` says: how much the ledger holds, and what was done since the start."""

from dataclasses import asdict
from typing import Any

from packetcrypt.pool.ledger import LedgerCounts
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_history import History
from packetcrypt.pool.paymaker_reckoning import Reckoning
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics


class PaymakerStats:
    """Answers from memory: anybody may ask.

    at_start : what was in the ledger at the start
    """

    def __init__(
        self,
        at_start: LedgerCounts,
        statistics: PaymakerStatistics,
        history: History,
        reckoning: Reckoning,
    ) -> None:
        self._at_start = at_start
        self._statistics = statistics
        self._history = history
        self._reckoning = reckoning
        self._started = milliseconds_now()

    def as_json(self) -> dict[str, Any]:
        """The object for `json.dumps`."""
        began, now = self._at_start, self._statistics
        return {
            "startedAt": self._started,
            "latestPayout": self._reckoning.latest_payout,
            "ledger": {
                "uploads": began.uploads + now.uploads - now.replays,
                "anns": began.announcement_posts + now.announcement_posts,
                "shares": began.shares + now.shares,
                "blocks": began.blocks + now.blocks,
                "repeated": began.repeated + now.repeated,
                "refusedLines": began.refused + now.refused,
            },
            "memory": asdict(self._history.size()),
            "sinceStart": asdict(now),
        }
