"""How fast the pool was in the last hours: the samples that the page's charts are drawn from."""

from bisect import insort
from dataclasses import dataclass
from typing import Final

SAMPLE_MILLISECONDS: Final = 30_000
"""the paymaker's rates are averages over ten minutes: more often says nothing more"""
SPAN_MILLISECONDS: Final = 6 * 3_600_000
BACKFILL_MILLISECONDS: Final = 600_000
"""distance of the samples that are asked for when the master starts"""


@dataclass(frozen=True, order=True)
class RateSample:
    """The rates of one moment, milliseconds since 1970."""

    time: int
    kbps: float
    encryptions: float


class RateHistory:
    """The samples of the last hours; at most one each `SAMPLE_MILLISECONDS`."""

    def __init__(self) -> None:
        self._samples: list[RateSample] = []
        self._newest = -SAMPLE_MILLISECONDS

    @property
    def samples(self) -> tuple[RateSample, ...]:
        """Oldest first."""
        return tuple(self._samples)

    def add_newest(self, sample: RateSample) -> None:
        """Takes up what is told now, unless there is one of a moment ago."""
        if sample.time - self._newest >= SAMPLE_MILLISECONDS:
            self._newest = sample.time
            self.add(sample)

    def add(self, sample: RateSample) -> None:
        """Takes up a sample of any time; what is too old is forgotten."""
        insort(self._samples, sample)
        oldest = self._samples[-1].time - SPAN_MILLISECONDS
        self._samples = [kept for kept in self._samples if kept.time >= oldest]


def times_before(now: int) -> list[int]:
    """Which earlier moments to ask for, newest first."""
    return list(range(now - BACKFILL_MILLISECONDS, now - SPAN_MILLISECONDS, -BACKFILL_MILLISECONDS))
