"""What announcements of one parent height and work bits will be worth to a block miner."""

from functools import lru_cache
from typing import Final

from packetcrypt.protocol.difficulty import UNUSABLE, degrade, min_ann_target_ok, work_of_compact

#: An announcement is usable from this age on (spec 1 §1, degrade).
_USABLE_AGE: Final = 3


@lru_cache(maxsize=4096)
def worth_of(work_bits: int, age: int) -> int:
    """The work that an announcement stands for three blocks later, when the youngest are usable.

    So young and old ones compare as they will in a set. 1 if it can be used but not for so long.
    """
    if not min_ann_target_ok(work_bits) or degrade(work_bits, max(age, _USABLE_AGE)) == UNUSABLE:
        return 0
    later = degrade(work_bits, age + _USABLE_AGE)
    return 1 if later == UNUSABLE else work_of_compact(later)
