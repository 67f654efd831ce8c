"""What became of the announcements that were found, pool by pool.

Every announcement found is, for each pool, in exactly one place: gathered or queued, uploading, or
settled as accepted, rejected, overloaded or lost. Only the event loop's thread counts.
"""

from dataclasses import dataclass, fields

from packetcrypt.client.submit import PostOutcome
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE


@dataclass(frozen=True)
class PoolCounts:
    """Announcements of one pool, since the start or within a window.

    accepted, rejected, overloaded : as the handlers answered (see `PostOutcome`)
    lost      : dropped before upload, or in an upload without a usable answer ("overflow")
    sent_bytes: bytes of the announcements that were answered; a pool that is down receives none
    """

    accepted: int = 0
    rejected: int = 0
    overloaded: int = 0
    lost: int = 0
    sent_bytes: int = 0

    @property
    def settled(self) -> int:
        """Announcements whose fate is known."""
        return self.accepted + self.rejected + self.overloaded + self.lost

    @property
    def goodrate(self) -> float | None:
        """accepted / settled, 0..1; None while nothing is settled."""
        return self.accepted / self.settled if self.settled else None

    def since(self, earlier: "PoolCounts") -> "PoolCounts":
        """What was counted since an earlier reading."""
        return PoolCounts(
            *(getattr(self, field.name) - getattr(earlier, field.name) for field in fields(self))
        )


class PoolAccount:
    """Counts for one pool while it is mined for."""

    def __init__(self) -> None:
        self.uploading = 0
        """announcements in uploads under way"""
        self._counts = PoolCounts()

    @property
    def counts(self) -> PoolCounts:
        """The reading now, since the start."""
        return self._counts

    def drop(self, announcements: int) -> None:
        """Counts announcements that will never be sent."""
        self._add(PoolCounts(lost=announcements))

    def begin_upload(self, announcements: int) -> None:
        """Counts announcements as uploading."""
        self.uploading += announcements

    def end_upload(self, announcements: int, outcome: PostOutcome) -> None:
        """Counts announcements of an upload as settled."""
        self.uploading -= announcements
        answered = announcements - outcome.lost
        self._add(
            PoolCounts(
                accepted=outcome.accepted,
                rejected=outcome.rejected,
                overloaded=outcome.overloaded,
                lost=outcome.lost,
                sent_bytes=answered * ANNOUNCEMENT_SIZE,
            )
        )

    def _add(self, more: PoolCounts) -> None:
        self._counts = PoolCounts(
            *(
                getattr(self._counts, field.name) + getattr(more, field.name)
                for field in fields(PoolCounts)
            )
        )


@dataclass(frozen=True)
class FoundCounts:
    """What the devices found: announcements, and the hashes that many announcements stand for."""

    announcements: int = 0
    hashes: int = 0

    def since(self, earlier: "FoundCounts") -> "FoundCounts":
        """What was found since an earlier reading."""
        return FoundCounts(self.announcements - earlier.announcements, self.hashes - earlier.hashes)

    def plus(self, announcements: int, work: int) -> "FoundCounts":
        """With announcements of this work (expected hashes for each) found in addition."""
        return FoundCounts(self.announcements + announcements, self.hashes + announcements * work)
