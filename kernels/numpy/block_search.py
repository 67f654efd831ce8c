"""How a range of low nonces is searched for block hashes (spec 1 §5 "Mining")."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.block_interface import FoundHashes
from packetcrypt.kernels.numpy.cryptocycle import States, init, item_numbers
from packetcrypt.kernels.numpy.scalar_multiplication import smul
from packetcrypt.kernels.numpy.search import BEYOND_ITEM, WHOLE, meeting, work_hashes
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.protocol.validation import UPDATES

#: Rows that are multiplied between two checkpoints: 10 ms.
_SMUL_ROWS = 256


@dataclass(frozen=True)
class SortedRows:
    """A set in the store: announcement i of the set is row rows[i].

    items : (capacity, 128) uint64, the whole store
    rows  : (count,) intp
    """

    items: States
    rows: npt.NDArray[np.intp]

    @property
    def count(self) -> int:
        """How many announcements the set has."""
        return len(self.rows)


def search(
    workspace: Workspace,
    loaded: SortedRows,
    header_hash: bytes,
    target: int,
    first: int,
    count: int,
) -> FoundHashes:
    """Search low nonces first … first + count − 1, at most `BATCH` of them."""
    states = workspace.states[:count]
    init(states, header_hash, np.arange(first, first + count))
    for left in reversed(range(UPDATES)):
        rows = loaded.rows[item_numbers(states, loaded.count)]
        workspace.cycle.update(states, loaded.items, rows, BEYOND_ITEM if left else WHOLE)
    for start in range(0, count, _SMUL_ROWS):
        smul(states[start : start + _SMUL_ROWS])
        workspace.checkpoint()
    hashes = work_hashes(workspace.blake, states)
    found = meeting(hashes, target)
    return FoundHashes((first + found).astype(np.uint32), hashes[found].view(np.uint8))
