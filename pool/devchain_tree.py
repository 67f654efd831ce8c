"""Which blocks a development chain has, and which of them are the best chain.

The best chain ends in the block of the greatest height; of several, in that which came first. A
branch that gets longer displaces the blocks that it does not share.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from packetcrypt.pool.devchain_templates import NextBlock, made_up_transactions
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.commitment import BlockCommitment

DISPLACED: Final = -1
"""confirmations of a block that is not in the best chain"""


@dataclass(frozen=True, kw_only=True)
class ChainBlock:
    """A block that was accepted or made up.

    next_bits    : compact target of the block after it
    commitment   : None if it was made up; then it has no transactions either
    transactions : encoded, the coinbase first
    """

    height: int
    header: BlockHeader
    next_bits: int
    commitment: BlockCommitment | None = None
    transactions: tuple[bytes, ...] = ()

    @cached_property
    def hash(self) -> bytes:
        """32 bytes, internal byte order."""
        return self.header.block_hash

    @cached_property
    def following(self) -> NextBlock:
        """What the block after it must be."""
        height = self.height + 1
        return NextBlock(
            height=height,
            previous_hash=self.hash,
            bits=self.next_bits,
            earliest=self.header.time + 1,
            others=made_up_transactions(height, self.hash),
        )


class BlockTree:
    """All blocks, those that were displaced too. It is never empty."""

    def __init__(self, first: ChainBlock) -> None:
        self._blocks = {first.hash: first}
        self._best = [first]

    @property
    def tip(self) -> ChainBlock:
        """The last block of the best chain."""
        return self._best[-1]

    def __contains__(self, block_hash: bytes) -> bool:
        return block_hash in self._blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def get(self, block_hash: bytes) -> ChainBlock | None:
        """The block of this hash, also one that was displaced."""
        return self._blocks.get(block_hash)

    def at(self, height: int) -> ChainBlock | None:
        """The block of this height in the best chain."""
        index = height - self._best[0].height
        return self._best[index] if 0 <= index < len(self._best) else None

    def confirmations(self, block: ChainBlock) -> int:
        """1 for the tip; `DISPLACED` for a block that is not in the best chain."""
        if self.at(block.height) is not block:
            return DISPLACED
        return self.tip.height - block.height + 1

    def back_from(self, block_hash: bytes) -> Iterator[ChainBlock]:
        """A block, and those before it, down to the first."""
        block = self._blocks.get(block_hash)
        while block is not None:
            yield block
            block = self._blocks.get(block.header.previous_hash)

    def add(self, block: ChainBlock) -> tuple[ChainBlock, ...]:
        """Adds a block whose parent is here; returns those that it displaces, oldest first."""
        self._blocks[block.hash] = block
        if block.height <= self.tip.height:
            return ()
        branch = []
        for ancestor in self.back_from(block.hash):
            if self.at(ancestor.height) is ancestor:
                break
            branch.append(ancestor)
        kept = branch[-1].height - self._best[0].height
        displaced = tuple(self._best[kept:])
        self._best[kept:] = reversed(branch)
        return displaced
