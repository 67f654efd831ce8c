"""Which announcements have been credited already.

A credit takes time (check, disk), so keys are *claimed* first: of two posts of one announcement at
the same time only one gets the claim, and it either commits the key or releases it.
"""

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.primitives import h32

Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


def dedup_keys(announcements: bytes) -> Keys:
    """The dedup keys of joined announcements: the first u64 of the H32 of each (spec 1 §4)."""
    starts = range(0, len(announcements), ANNOUNCEMENT_SIZE)
    digests = b"".join(h32(announcements[s : s + ANNOUNCEMENT_SIZE])[:8] for s in starts)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


class KeyTable:
    """The keys of one parent height.

    Sorted arrays whose lengths at least halve from one to the next: looking up and adding take
    logarithmic time, and a key takes 8 bytes (in a Python set it would take about 70; a busy
    handler holds millions).
    """

    def __init__(self) -> None:
        self._runs: list[Keys] = []
        self._claimed: set[int] = set()

    def __len__(self) -> int:
        """Committed keys."""
        return sum(len(run) for run in self._runs)

    def claim(self, keys: Keys) -> Mask:
        """Claims the keys that are neither committed nor claimed; true where it did.

        keys : (n,) uint64; of equal ones the first gets the claim. The caller must `settle` what it
               got.
        """
        granted = ~self.contains(keys)
        for position in np.flatnonzero(granted):
            key = int(keys[position])
            granted[position] = key not in self._claimed
            self._claimed.add(key)
        return granted

    def settle(self, keys: Keys, credited: Mask) -> None:
        """Ends claims: commits the keys where `credited`, releases the others."""
        self._claimed.difference_update(keys.tolist())
        self.add(keys[credited])

    def add(self, keys: Keys) -> None:
        """Commits keys, claimed or not."""
        run = np.unique(keys)
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.union1d(self._runs.pop(), run)
        if len(run):
            self._runs.append(run)

    def contains(self, keys: Keys) -> Mask:
        """Which of (n,) keys are committed."""
        found = np.zeros(len(keys), np.bool_)
        for run in self._runs:
            found |= run[np.searchsorted(run, keys).clip(max=len(run) - 1)] == keys
        return found
