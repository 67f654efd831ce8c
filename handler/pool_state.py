"""What the pool asks of announcements at this moment, as one immutable fact."""

from dataclasses import dataclass
from typing import Self

from packetcrypt.protocol.pool_messages import TRACKED_PARENTS, BlockInfo


@dataclass(frozen=True)
class ParentBlock:
    """A block that announcements may have as their parent.

    hash, previous_hash : 32 bytes, internal byte order; None before the first block
    signing_key         : key that announcements may carry instead of zeros; None if the pool has
                          none
    """

    height: int
    hash: bytes
    previous_hash: bytes | None
    signing_key: bytes | None

    @classmethod
    def of(cls, block: BlockInfo) -> Self:
        """What matters here of what the master says about a block."""
        return cls(block.height, block.hash, block.previous_hash, block.signing_key)


@dataclass(frozen=True)
class PoolState:
    """What is checked before an announcement is hashed.

    parents        : newest first, at most `TRACKED_PARENTS`, at least one
    handler_number : this handler's place among handler_count, which decides what it takes
    ann_target     : easiest work bits, compact
    """

    parents: tuple[ParentBlock, ...]
    handler_number: int
    handler_count: int
    ann_target: int
    ann_versions: tuple[int, ...]

    @property
    def tip(self) -> ParentBlock:
        """The newest block."""
        return self.parents[0]

    def in_slot_of(self, height: int) -> ParentBlock:
        """The tracked parent in the slot of a height: the one with the same height modulo 6.

        It is the parent of that height if that is tracked at all. Slots are empty only while the
        chain or what is known of it is shorter; the tip stands in then, to be named in the error
        message.
        """
        for parent in self.parents:
            if parent.height % TRACKED_PARENTS == height % TRACKED_PARENTS:
                return parent
        return self.tip
