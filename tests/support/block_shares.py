"""Shares that the plain protocol mines over a few announcements."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from handler_announcements import HARDEST, UNSIGNED

from packetcrypt.protocol.announcement import (
    AnnouncementHeader,
    announcement_hash,
    dedup_key,
)
from packetcrypt.protocol.announcement_signature import public_key
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.block_header import BlockHeader, merkle_root
from packetcrypt.protocol.block_proof import BlockProof, encode_proof_sections
from packetcrypt.protocol.commitment import BlockCommitment, insert_commitment
from packetcrypt.protocol.difficulty import effective_target, meets
from packetcrypt.protocol.primitives import expand
from packetcrypt.protocol.proof_tree import ProofTree
from packetcrypt.protocol.set_selection import target_at
from packetcrypt.protocol.share_messages import SharePost
from packetcrypt.protocol.signing_seed import signing_seed
from packetcrypt.protocol.work_file import BlockWork

REAL_ANNOUNCEMENTS = (*UNSIGNED.announcements, *HARDEST.announcements)
"""valid and unsigned, parents 1000000 and 1000003: good from height 1000006 on"""


@dataclass(frozen=True)
class MinedShare:
    """A share, and what it was made of."""

    commitment: BlockCommitment
    header: BlockHeader
    proof: BlockProof

    @property
    def post(self) -> SharePost:
        """As the existing block miner posts it."""
        sections = encode_proof_sections(self.proof)
        return SharePost(self.commitment.encode(), self.header.encode() + sections)


def mine_share(
    work: BlockWork,
    announcements: Sequence[bytes] = REAL_ANNOUNCEMENTS,
    *,
    is_block: bool = False,
    nonce: int = 0,
) -> MinedShare:
    """The first share of a header nonce that is a block too, or is none.

    The targets must be so easy that a few hashes of some milliseconds find both.
    """
    members = sorted(announcements, key=dedup_key)
    tree = ProofTree([announcement_hash(member) for member in members])
    headers = [AnnouncementHeader.decode(member) for member in members]
    max_target = max(target_at(work.height, h.parent_height, h.work_bits) for h in headers)
    commitment = BlockCommitment(max_target, tree.root, tree.count)
    coinbase = insert_commitment(work.coinbase_no_witness, commitment.encode())
    root = merkle_root(coinbase, work.merkle_branch)
    header = replace(work.header, merkle_root=root, nonce=nonce)
    block, share = (
        effective_target(target, max_target, tree.count)
        for target in (header.bits, work.share_target)
    )
    for low_nonce in itertools.count():
        mined = block_work_hash(
            header.encode(), low_nonce, lambda number: members[number % len(members)]
        )
        if meets(mined.work_hash, share) and meets(mined.work_hash, block) == is_block:
            indexes = [number % len(members) for number in mined.item_numbers]
            first, second, third, fourth = (members[index] for index in indexes)
            proof = BlockProof(low_nonce, (first, second, third, fourth), tree.prove(indexes))
            return MinedShare(commitment, header, proof)
    raise AssertionError("unreachable")


def made_up_announcements(
    parent_height: int, private_seed: str = "", count: int = 6
) -> tuple[bytes, ...]:
    """Announcements that were never mined; with a seed, all carry the pool's key."""
    seed = signing_seed(private_seed, parent_height + 1)
    key = public_key(seed) if private_seed else bytes(32)
    return tuple(
        AnnouncementHeader(
            hard_nonce=number, work_bits=0x2000FFFF, parent_height=parent_height, signing_key=key
        ).encode()
        + expand(bytes(32), number, 1024 - 88)
        for number in range(count)
    )
