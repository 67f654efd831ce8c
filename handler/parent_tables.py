"""Which table of credited keys belongs to which parent block.

A height has one table. It is emptied when the block at its height is replaced (spec 2: a rollback),
and forgotten when its height is long past.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from packetcrypt.handler.dedup import KeyTable
from packetcrypt.handler.pool_state import ParentBlock
from packetcrypt.protocol.pool_messages import TRACKED_PARENTS

KEPT_HEIGHTS = 2 * TRACKED_PARENTS
"""Heights below the tip whose tables and files are kept.

Twice what is tracked: a chain that becomes shorter for a while brings heights back that had passed,
and posts may wait for long in the queue."""


@dataclass
class _Entry:
    # None after a restart without a record of it: the next block of that height is taken for it.
    block_hash: bytes | None
    table: KeyTable = field(default_factory=KeyTable)


class ParentTables:
    """The tables of all kept heights. Lives on the event loop's thread."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    def __len__(self) -> int:
        """How many heights have a table."""
        return len(self._entries)

    @property
    def keys(self) -> int:
        """Credited keys in all of them."""
        return sum(len(entry.table) for entry in self._entries.values())

    def restore(self, height: int, block_hash: bytes | None, table: KeyTable) -> None:
        """Puts back what the files say was credited before a restart."""
        self._entries[height] = _Entry(block_hash, table)

    def of(self, parent: ParentBlock) -> KeyTable | None:
        """The table of a block; None if the block has been replaced, or forgotten."""
        entry = self._entries.get(parent.height)
        return entry.table if entry and entry.block_hash == parent.hash else None

    def follow(self, parents: Iterable[ParentBlock]) -> None:
        """Makes tables for new parents, empty ones where a block was replaced."""
        for parent in parents:
            entry = self._entries.setdefault(parent.height, _Entry(parent.hash))
            if entry.block_hash is None:
                entry.block_hash = parent.hash
            elif entry.block_hash != parent.hash:
                self._entries[parent.height] = _Entry(parent.hash)

    def forget_below(self, height: int) -> None:
        """Drops the tables of lower heights."""
        self._entries = {h: entry for h, entry in self._entries.items() if h >= height}

    def block_hashes(self) -> dict[int, bytes]:
        """Which block each table is of, by height."""
        return {
            height: entry.block_hash
            for height, entry in self._entries.items()
            if entry.block_hash is not None
        }
