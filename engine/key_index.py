"""Which announcements of one class are in the store, by dedup key.

Sorted runs, each at least twice as long as the next: a batch that comes in is a run of its own, and
short runs are merged. So an announcement is moved O(log n) times as the class grows, and whoever
asks for all of them in order finds them nearly sorted.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint32]


class KeyRows(NamedTuple):
    """Announcements ascending by dedup key, no key twice.

    keys : (n,) uint64
    rows : (n,) uint32, where each lies in the store
    """

    keys: Keys
    rows: Rows


EMPTY: Final = KeyRows(np.empty(0, np.uint64), np.empty(0, np.uint32))


class KeyIndex:
    """The keys of one class. Not thread-safe."""

    def __init__(self) -> None:
        self._runs: list[KeyRows] = []

    def __len__(self) -> int:
        return sum(len(run.keys) for run in self._runs)

    @property
    def runs(self) -> tuple[KeyRows, ...]:
        """All of them in pieces; the arrays do not change afterwards."""
        return tuple(self._runs)

    def contains(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of (n,) keys are there: (n,) bool."""
        found = np.zeros(len(keys), np.bool_)
        for run in self._runs:
            places = np.searchsorted(run.keys, keys)
            places[places == len(run.keys)] = 0
            found |= run.keys[places] == keys
        return found

    def insert(self, new: KeyRows) -> None:
        """Take announcements whose keys are not there yet."""
        if not len(new.keys):
            return
        self._runs.append(new)
        while len(self._runs) > 1 and len(self._runs[-2].keys) < 2 * len(self._runs[-1].keys):
            self._runs[-2:] = [merged(self._runs[-2:])]

    def sorted(self) -> KeyRows:
        """All of them in order; the arrays do not change afterwards."""
        if len(self._runs) > 1:
            self._runs = [merged(self._runs)]
        return self._runs[0] if self._runs else EMPTY

    def remove(self, rows: Rows) -> None:
        """Forget the announcements in these rows."""
        everything = self.sorted()
        kept = ~np.isin(everything.rows, rows)
        self._runs = [KeyRows(everything.keys[kept], everything.rows[kept])] if kept.any() else []


def merged(runs: Sequence[KeyRows]) -> KeyRows:
    """Several runs as one; a key that is in several of them is there as often, in their order."""
    if not runs:
        return EMPTY
    keys = np.concatenate([run.keys for run in runs])
    # Timsort finds the runs: 0.25 s for 10 million keys in five of them, unsorted ones take 1.3 s.
    order = np.argsort(keys, kind="stable")
    return KeyRows(keys[order], np.concatenate([run.rows for run in runs])[order])
