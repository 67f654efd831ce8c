"""What a handler has done so far, and the log line that says so."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

from packetcrypt.protocol.pool_messages import AnnouncementPostResult

_log = logging.getLogger(__name__)


class Counters(Protocol):
    """What a handler counts."""

    def snapshot(self) -> Self:
        """The counters as they are now."""
        ...

    def line(self, before: Self, seconds: float, queued: int) -> str:
        """What happened since `before`, `seconds` ago; queued: what waits now."""
        ...


C = TypeVar("C", bound=Counters)


class StatisticsReport(Generic[C]):
    """The regular log line."""

    def __init__(self, counters: C, seconds: float, queued: Callable[[], int]) -> None:
        self._counters = counters
        self._seconds = seconds
        self._queued = queued
        self._before = counters.snapshot()

    async def log(self) -> None:
        """Says what happened since the last time."""
        now = self._counters.snapshot()
        _log.info("%s", now.line(self._before, self._seconds, self._queued()))
        self._before = now


@dataclass
class HandlerStatistics:
    """Counters since the start.

    posts      : judged; refused are those with an error of the whole, overloaded those not taken
    read_bytes : of bodies
    the others : announcements of judged posts, by what became of them
    """

    posts: int = 0
    refused: int = 0
    overloaded: int = 0
    read_bytes: int = 0
    accepted: int = 0
    duplicates: int = 0
    invalid: int = 0
    bad_hash: int = 0
    internal_errors: int = 0

    def count(self, result: AnnouncementPostResult) -> None:
        """Adds one processed post."""
        self.posts += 1
        self.accepted += result.accepted
        self.duplicates += result.duplicates
        self.invalid += result.invalid
        self.bad_hash += result.bad_hash
        self.internal_errors += result.internal_errors

    def snapshot(self) -> Self:
        """The counters as they are now."""
        return replace(self)

    def line(self, before: Self, seconds: float, queued: int) -> str:
        """What happened since `before`, `seconds` ago, e.g.

        "accepted 5120 (512/s, 4.2 Mb/s) dup 3 inval 0 badHash 0 internalErr 0; posts 9 refused 0
        overloaded 0 queued 2"
        """
        accepted = self.accepted - before.accepted
        megabits = accepted * 1024 * 8 / seconds / 1e6
        return (
            f"accepted {accepted} ({accepted / seconds:.0f}/s, {megabits:.1f} Mb/s) "
            f"dup {self.duplicates - before.duplicates} inval {self.invalid - before.invalid} "
            f"badHash {self.bad_hash - before.bad_hash} "
            f"internalErr {self.internal_errors - before.internal_errors}; "
            f"posts {self.posts - before.posts} refused {self.refused - before.refused} "
            f"overloaded {self.overloaded - before.overloaded} queued {queued}"
        )
