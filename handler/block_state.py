"""What a block handler needs to know of the block that is mined now, as one immutable fact."""

from dataclasses import dataclass

from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.commitment import COMMITMENT_SIZE, insert_commitment
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.work_file import BlockWork


@dataclass(frozen=True)
class BlockState:
    """The work that shares are judged by, and the template that makes a block of one.

    `DecodeError` if the two are not of one block, or no block can be made of them. That must be
    known before a block is found, because then it is too late.
    """

    work: BlockWork
    template: BlockTemplate

    def __post_init__(self) -> None:
        if (self.work.height, self.work.header.previous_hash) != (
            self.template.height,
            self.template.header.previous_hash,
        ):
            raise DecodeError(
                f"work and block template are of different blocks: at height {self.work.height} "
                f"after {_shown(self.work.header.previous_hash)}, and at {self.template.height} "
                f"after {_shown(self.template.header.previous_hash)}"
            )
        if not self.template.transactions:
            raise DecodeError("the block template has no transactions, not even a coinbase")
        if (self.work.coinbase_no_witness, self.work.merkle_branch) != (
            self.template.coinbase_no_witness,
            self.template.merkle_branch,
        ):
            raise DecodeError(
                "work and block template have different coinbases or Merkle branches: "
                "a block mined for one would not be valid with the transactions of the other"
            )
        for coinbase in (self.work.coinbase_no_witness, self.template.transactions[0]):
            insert_commitment(coinbase, bytes(COMMITMENT_SIZE))


def _shown(block_hash: bytes) -> str:
    """As nodes display it."""
    return block_hash[::-1].hex()
