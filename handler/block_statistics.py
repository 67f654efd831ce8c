"""What a block handler has done so far, and the log line that says so."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass
class BlockStatistics:
    """Counters since the start, of posts.

    accepted   : new good shares; blocks are those of them that the node took as blocks
    duplicates : shares that were in the pay log already
    stale      : of another block than the one that is mined
    invalid    : refused before the node was asked; rejected by the node when it was
    failed     : not judged, or not written, for a fault of this handler or its node
    overloaded : not taken
    """

    accepted: int = 0
    blocks: int = 0
    duplicates: int = 0
    stale: int = 0
    invalid: int = 0
    rejected: int = 0
    failed: int = 0
    overloaded: int = 0

    def snapshot(self) -> Self:
        """The counters as they are now."""
        return replace(self)

    def line(self, before: Self, seconds: float, queued: int) -> str:
        """What happened since `before`, `seconds` ago, e.g.

        "shares 64 (6.4/s) blocks 1 dup 0 stale 2 inval 0 rejected 1 failed 0 overloaded 0 queued 0"
        """
        accepted = self.accepted - before.accepted
        return (
            f"shares {accepted} ({accepted / seconds:.1f}/s) blocks {self.blocks - before.blocks} "
            f"dup {self.duplicates - before.duplicates} stale {self.stale - before.stale} "
            f"inval {self.invalid - before.invalid} rejected {self.rejected - before.rejected} "
            f"failed {self.failed - before.failed} "
            f"overloaded {self.overloaded - before.overloaded} queued {queued}"
        )
