"""The block that is mined: a work with a set committed to, but for the two nonces."""

from dataclasses import dataclass, replace

from packetcrypt.engine.block_set import MinedSet
from packetcrypt.protocol.block_header import merkle_root
from packetcrypt.protocol.commitment import BlockCommitment, insert_commitment
from packetcrypt.protocol.difficulty import effective_target
from packetcrypt.protocol.work_file import BlockWork


@dataclass(frozen=True, eq=False)
class BlockCandidate:
    """Compared by identity: another work or another set is another candidate.

    commitment    : 48 bytes
    merkle_root   : 32 bytes, of the block with the commitment in its coinbase
    share_target  : effective compact target of a share
    block_target  : that of a block
    search_target : the easier of them, which devices compare with
    """

    work: BlockWork
    mined: MinedSet
    commitment: bytes
    merkle_root: bytes
    share_target: int
    block_target: int

    @classmethod
    def of(cls, work: BlockWork, mined: MinedSet) -> "BlockCandidate | None":
        """None if the set cannot be used at the height of this work.

        Costs two hashes of the coinbase, and one for each level of the Merkle branch. Raises
        `DecodeError` if the coinbase has no place for a commitment.
        """
        max_target = mined.max_target(work.height)
        if max_target is None:
            return None
        commitment = BlockCommitment(max_target, mined.root, mined.count).encode()
        coinbase = insert_commitment(work.coinbase_no_witness, commitment)
        return cls(
            work=work,
            mined=mined,
            commitment=commitment,
            merkle_root=merkle_root(coinbase, work.merkle_branch),
            share_target=effective_target(work.share_target, max_target, mined.count),
            block_target=effective_target(work.header.bits, max_target, mined.count),
        )

    @property
    def search_target(self) -> int:
        return max(self.share_target, self.block_target)

    def header(self, nonce: int) -> bytes:
        """The 80 bytes of its header with one nonce (u32)."""
        return replace(self.work.header, merkle_root=self.merkle_root, nonce=nonce).encode()
