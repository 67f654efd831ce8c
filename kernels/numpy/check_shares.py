"""How announcements to be checked are shared out among processes."""

from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.check_plan import plan_checks
from packetcrypt.protocol.validation import AnnouncementCheck

Indexes = npt.NDArray[np.intp]

#: What checking takes, in milliseconds of one core: a few announcements of a job are computed one
#: by one; more share what it takes to interpret its programs.
_ALONE_MS: Final = 50.0
_TOGETHER_MS: Final = 300.0
_EACH_MS: Final = 1.0
#: Announcements of one job from which on sharing them out pays.
_LARGEST: Final = 512


def shares(
    announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8], count: int
) -> list[Indexes]:
    """Up to `count` shares of (n, 1024) announcements, (n, 32) parent hashes, that take equal time.

    Each announcement is in one of them, those of a job in the same one: they share its programs.
    """
    plan = plan_checks(announcements, parent_hashes)
    parts = [
        part
        for group in plan.groups
        for part in np.array_split(group.members, -(-len(group.members) // _LARGEST))
    ]
    dealt: list[list[Indexes]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for part in sorted(parts, key=len, reverse=True):
        least = loads.index(min(loads))
        dealt[least].append(part)
        loads[least] += _milliseconds(len(part))
    # The others have failed already, all but their dedup keys.
    dealt[loads.index(min(loads))].append(np.flatnonzero(plan.results != AnnouncementCheck.OK))
    joined = (np.concatenate(parts) for parts in dealt if parts)
    return [share for share in joined if len(share)]


def _milliseconds(announcements: int) -> float:
    """What checking some announcements of one job takes."""
    return min(_ALONE_MS * announcements, _TOGETHER_MS) + _EACH_MS * announcements
