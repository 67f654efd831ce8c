"""How much work the miners of a devnet did, over all their lives: from the lines that they log."""

import re
from typing import Final

from packetcrypt.pool.devnet_summary import WorkCounts

ANNOUNCEMENTS_NAME: Final = "ann"
SHARES_NAME: Final = "blk"

_ANNOUNCEMENTS: Final = re.compile(
    r"([0-9.]+ Ke/s) .* accept/reject/overload: \[([0-9]+)/([0-9]+)/([0-9]+)\]"
)
_SHARES: Final = re.compile(r"shr: ([0-9]+)/([0-9]+)/[0-9]+ real: ([0-9.]+ \w*e/s)")


class MinerCounts:
    """Adds up what the miners say every ten seconds, and once more at their end.

    What handlers answered is known only to who asked them: counters of a handler, and of a miner,
    begin anew when it is started again; lines that were logged stay. A miner that is killed takes
    the last ten seconds with it.
    """

    def __init__(self) -> None:
        self.announcements = WorkCounts()
        self.shares = WorkCounts()
        self.announcement_speed = self.block_speed = "-"

    def note(self, name: str, line: str) -> None:
        """Takes any line of any service."""
        if name == ANNOUNCEMENTS_NAME and (match := _ANNOUNCEMENTS.search(line)):
            self.announcement_speed = match[1]
            self.announcements += WorkCounts(int(match[2]), int(match[3]) + int(match[4]))
        elif name == SHARES_NAME and (match := _SHARES.search(line)):
            self.block_speed = match[3]
            self.shares += WorkCounts(int(match[1]), int(match[2]))
