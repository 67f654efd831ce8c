"""How announcements to be checked are shared out among processes."""

from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.check_plan import plan_checks
from packetcrypt.protocol.validation import AnnouncementCheck

Indexes = npt.NDArray[np.intp]

#: What checking takes, in milliseconds of one core: a few announcements of a job are computed one
#: by one; more share what it takes to interpret its programs. 1, 2, 5, 64 and 512 of a job took
#: 115, 172, 243, 278 and 389 ms. So sharing a job out would gain little.
_ALONE_MS: Final = 80.0
_TOGETHER_MS: Final = 250.0
_EACH_MS: Final = 0.3


def shares(
    announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8], count: int
) -> list[Indexes]:
    """Up to `count` shares of (n, 1024) announcements, (n, 32) parent hashes, that take equal time.

    Each announcement is in one of them, those of a job in the same one: they share its programs.
    """
    plan = plan_checks(announcements, parent_hashes)
    dealt: list[list[Indexes]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for members in sorted((group.members for group in plan.groups), key=len, reverse=True):
        least = loads.index(min(loads))
        dealt[least].append(members)
        loads[least] += _milliseconds(len(members))
    # The others have failed already, all but their dedup keys.
    dealt[loads.index(min(loads))].append(np.flatnonzero(plan.results != AnnouncementCheck.OK))
    joined = (np.concatenate(parts) for parts in dealt if parts)
    return [share for share in joined if len(share)]


def _milliseconds(announcements: int) -> float:
    """What checking some announcements of one job takes."""
    return min(_ALONE_MS * announcements, _TOGETHER_MS) + _EACH_MS * announcements
