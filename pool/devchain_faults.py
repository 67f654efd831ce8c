"""Which calls a development chain answers wrongly on purpose, so that the pool can be tried."""

import random
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

LATE: Final = "late"
"""how a call that is late is counted, beside the failures' labels"""


class Failure(Enum):
    """How a call ends."""

    NONE = auto()
    REFUSED = auto()
    """answered 503, and not carried out"""
    UNHEARD = auto()
    """without an answer, and not carried out"""
    UNANSWERED = auto()
    """carried out, without an answer"""

    @property
    def label(self) -> str:
        """How it is counted."""
        return self.name.lower()


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong: probabilities, see `DevchainSettings`."""

    refuse: float
    drop: float
    delay: float
    delay_seconds: float

    def draw(self, chance: random.Random) -> tuple[float, Failure]:
        """What becomes of one call: seconds that it is late, and how it ends."""
        seconds = self.delay_seconds if chance.random() < self.delay else 0.0
        if chance.random() < self.refuse:
            return seconds, Failure.REFUSED
        if chance.random() < self.drop:
            return seconds, chance.choice((Failure.UNHEARD, Failure.UNANSWERED))
        return seconds, Failure.NONE
