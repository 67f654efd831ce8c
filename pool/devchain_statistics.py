"""What a development chain has done so far."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class ShareOutcome(StrEnum):
    """What was said about a share."""

    OK = "ok"
    BLOCK = "resubmit_as_block"
    REFUSED = "refused"


@dataclass
class DevchainStatistics:
    """Counters since the start.

    mined, made_up : blocks that were submitted and accepted, and those of "somebody else"
    displaced      : blocks that the best chain lost
    refused        : blocks that were submitted and not accepted
    shares         : by what was said about them
    calls          : by method, "other" if there is none of that name, and whether there was a
                     result
    faults         : calls that went wrong on purpose, by how
    """

    mined: int = 0
    made_up: int = 0
    displaced: int = 0
    refused: int = 0
    shares: Counter[ShareOutcome] = field(default_factory=Counter)
    calls: Counter[tuple[str, bool]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
