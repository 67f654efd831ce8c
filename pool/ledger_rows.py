"""What the ledger hands out for counting: columns of facts, in its own units."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]

#: Also how the ledger packs them: no field may change without a new version of it.
ANNOUNCEMENT_POST: Final = np.dtype(
    [
        ("time", "<i8"),
        ("total_length", "<i8"),
        ("address", "<u4"),
        ("accepted", "<u4"),
        ("unsigned", "<u4"),
        ("target", "<u4"),
    ]
)
SHARE: Final = np.dtype(
    [
        ("time", np.int64),
        ("address", np.int64),
        ("target", np.int64),
        ("encryptions", np.float64),
    ]
)
BLOCK: Final = np.dtype([("time", np.int64), ("difficulty", np.float64)])


def no_rows(kind: np.dtype[Any]) -> Rows:
    """An empty column set."""
    return np.empty(0, kind)


@dataclass(frozen=True)
class Win:
    """A share that was a block; hash in internal byte order, None if the handler did not say it."""

    time: int
    hash: bytes | None


@dataclass(frozen=True)
class LedgerRows:
    """Events of the ledger, in no particular order.

    addresses : that are new to the reader; their numbers go on where the last ones ended
    """

    announcement_posts: Rows = field(default_factory=lambda: no_rows(ANNOUNCEMENT_POST))
    shares: Rows = field(default_factory=lambda: no_rows(SHARE))
    blocks: Rows = field(default_factory=lambda: no_rows(BLOCK))
    wins: tuple[Win, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """What an upload brought.

    rows      : events that the ledger did not know
    repeated  : events that it knew
    is_replay : the same bytes came before; nothing of them was looked at again
    """

    rows: LedgerRows
    repeated: int = 0
    is_replay: bool = False

    @property
    def events(self) -> int:
        """New ones."""
        return len(self.rows.announcement_posts) + len(self.rows.shares) + len(self.rows.blocks)
