"""Whether a block or a share is what its header claims (spec 1 §5 "Check").

The referee: plain, and what every faster check must agree with. Checking four announcements is
nearly all of its time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from packetcrypt.protocol.announcement import AnnouncementHeader, announcement_hash
from packetcrypt.protocol.announcement_signature import is_signed, signature_is_valid
from packetcrypt.protocol.block_hash import ITEMS_PER_HASH, BlockHash, hash_of_four
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_proof import BlockProof
from packetcrypt.protocol.commitment import COMMITMENT_SIZE, MAGIC, BlockCommitment
from packetcrypt.protocol.difficulty import effective_target, meets, min_ann_target_ok
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.proof_tree import ProofError, hash_proof
from packetcrypt.protocol.set_selection import target_at
from packetcrypt.protocol.validation import (
    AnnouncementCheck,
    CheckedAnnouncement,
    check_announcement,
)


class BlockCheck(IntEnum):
    """The verdict on a block or a share; the names are the protocol's."""

    OK = 0
    """a block"""
    SHARE_OK = 1
    """a share, and not a block"""
    BAD_COINBASE = 2
    """the commitment has another magic, or an impossible target"""
    ANN_INVALID = 3
    """an announcement is not valid for its parent block"""
    ANN_INSUF_POW = 4
    """an announcement is easier, at its age, than the commitment says, or not of usable age"""
    PCP_INVAL = 5
    """the proof contradicts itself or the announcements"""
    PCP_MISMATCH = 6
    """the proof leads to another root than the committed one"""
    INSUF_POW = 7
    """the work hash does not even meet the share target"""
    ANN_SIG_INVALID = 8
    """a signed announcement goes without its signature"""


_GOOD = (BlockCheck.OK, BlockCheck.SHARE_OK)


@dataclass(frozen=True)
class CheckedBlock:
    """A verdict.

    announcement : which of the four it is about, counted from 0, if about one
    work_hash    : 32 bytes; None if signatures were wrong, which is found out before
    """

    result: BlockCheck
    announcement: int | None = None
    work_hash: bytes | None = None

    @property
    def name(self) -> str:
        """The protocol's name for it, e.g. "PCP_INVAL" or "ANN_INVALID 2"."""
        if self.announcement is None:
            return self.result.name
        return f"{self.result.name} {self.announcement}"

    @property
    def is_good(self) -> bool:
        """Whether it is a share at least."""
        return self.result in _GOOD


def check_block(
    header: bytes,
    commitment: bytes,
    proof: BlockProof,
    height: int,
    share_target: int,
    parent_hashes: Sequence[bytes],
    signatures: Sequence[bytes] | None = None,
    announcement_check: Callable[[bytes, bytes], CheckedAnnouncement] = check_announcement,
) -> CheckedBlock:
    """Check a block, or a share of one. What is wrong first decides.

    header             : 80 bytes, with its nonce
    commitment         : 48 bytes, from the coinbase
    height             : of the block
    share_target       : compact
    parent_hashes      : of each announcement's parent block, 32 bytes, internal byte order
    signatures         : of the signed announcements, in order; None to leave signatures alone
    announcement_check : what says whether an announcement is valid for a parent hash

    Raises `DecodeError` for a header, a commitment or hashes of another size or number.
    """
    if len(commitment) != COMMITMENT_SIZE:
        raise DecodeError(
            f"a coinbase commitment has {COMMITMENT_SIZE} bytes, this one has {len(commitment)}"
        )
    if len(parent_hashes) != ITEMS_PER_HASH:
        raise DecodeError(
            f"a block has {ITEMS_PER_HASH} announcements: give as many parent hashes, "
            f"not {len(parent_hashes)}"
        )
    bits = BlockHeader.decode(header).bits
    if signatures is not None:
        unsigned = _first_without_signature(proof.announcements, signatures)
        if unsigned is not None:
            return CheckedBlock(BlockCheck.ANN_SIG_INVALID, unsigned)

    mined = hash_of_four(header, proof.low_nonce, proof.announcements)

    def verdict(result: BlockCheck, announcement: int | None = None) -> CheckedBlock:
        return CheckedBlock(result, announcement, mined.work_hash)

    if not commitment.startswith(MAGIC):
        return verdict(BlockCheck.BAD_COINBASE)
    committed = BlockCommitment.decode(commitment)
    if not min_ann_target_ok(committed.max_target):
        return verdict(BlockCheck.BAD_COINBASE)
    pairs = zip(proof.announcements, parent_hashes, strict=True)
    for number, (announcement, parent_hash) in enumerate(pairs):
        checked = announcement_check(announcement, parent_hash)
        if checked.result is not AnnouncementCheck.OK:
            return verdict(BlockCheck.ANN_INVALID, number)
        if _target_at(height, announcement) > committed.max_target:
            return verdict(BlockCheck.ANN_INSUF_POW, number)
    proof_result = _check_proof(proof, committed, mined)
    if proof_result is not BlockCheck.OK:
        return verdict(proof_result)
    for target, result in ((bits, BlockCheck.OK), (share_target, BlockCheck.SHARE_OK)):
        if meets(mined.work_hash, effective_target(target, committed.max_target, committed.count)):
            return verdict(result)
    return verdict(BlockCheck.INSUF_POW)


def _first_without_signature(
    announcements: Sequence[bytes], signatures: Sequence[bytes]
) -> int | None:
    """Which announcement is signed, but not with the signature whose turn it is."""
    given = iter(signatures)
    for number, announcement in enumerate(announcements):
        if is_signed(announcement) and not signature_is_valid(announcement, next(given, b"")):
            return number
    return None


def _target_at(height: int, announcement: bytes) -> int:
    header = AnnouncementHeader.decode(announcement)
    return target_at(height, header.parent_height, header.work_bits)


def _check_proof(proof: BlockProof, committed: BlockCommitment, mined: BlockHash) -> BlockCheck:
    hashes = [announcement_hash(announcement) for announcement in proof.announcements]
    try:
        root = hash_proof(hashes, committed.count, mined.item_numbers, proof.proof)
    except ProofError:
        return BlockCheck.PCP_INVAL
    return BlockCheck.OK if root == committed.root else BlockCheck.PCP_MISMATCH
