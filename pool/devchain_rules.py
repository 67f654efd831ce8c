"""What makes a share, or a whole block, good for the next height of a development chain.

First comes what costs nothing (`read_share`, `read_block`), then the proof of work (`judge`), which
is judged by the plain protocol and takes some hundred milliseconds. Refusals are told in the words
of BIP 22, as pktd tells them.

Even sets: pktd also refuses a proof with the last announcement of a set of even size. The protocol
does not, and nor does this chain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from packetcrypt.pool.devchain_coinbase import REWARD, height_script
from packetcrypt.pool.devchain_merkle import root_of_all
from packetcrypt.pool.devchain_templates import VERSION, NextBlock
from packetcrypt.pool.devchain_transactions import (
    NO_OUTPOINT,
    Transaction,
    read_transaction,
)
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.block_check import BlockCheck, check_block
from packetcrypt.protocol.block_hash import hash_of_four
from packetcrypt.protocol.block_header import BLOCK_HEADER_SIZE, BlockHeader, merkle_root
from packetcrypt.protocol.block_proof import BlockProof, decode_proof_sections
from packetcrypt.protocol.commitment import (
    COMMITMENT_SIZE,
    MAGIC,
    PLACEHOLDER,
    BlockCommitment,
)
from packetcrypt.protocol.difficulty import MAX_COMPACT, effective_target, meets
from packetcrypt.protocol.errors import DecodeError, PacketCryptError
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields
from packetcrypt.protocol.validation import CheckedAnnouncement
from packetcrypt.protocol.varint import read_varint

_COMMITMENT_START: Final = PLACEHOLDER[:2] + MAGIC
_LATEST: Final = 2 * 3600
"""seconds that a block's time may be ahead of the clock (Bitcoin's rule)"""

AnnouncementRule = Callable[[bytes, bytes], CheckedAnnouncement]
"""what says whether an announcement is valid for a parent hash"""


class Rejected(PacketCryptError):
    """What the chain says no to; the message is its reason, e.g. "rejected: high-hash"."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A share or a block of which everything is right but, perhaps, its proof of work.

    commitment   : 48 bytes, as the coinbase has it
    share_target : compact
    transactions : of a block, encoded; none of a share
    """

    height: int
    header: BlockHeader
    commitment: bytes
    proof: BlockProof
    signatures: tuple[bytes, ...]
    share_target: int
    transactions: tuple[bytes, ...] = ()

    @property
    def parent_heights(self) -> tuple[int, ...]:
        """Of the blocks that the four announcements were mined on."""
        return tuple(
            AnnouncementHeader.decode(announcement).parent_height
            for announcement in self.proof.announcements
        )


def read_share(request: JsonFields, following: NextBlock) -> Candidate:
    """The argument of checkpcshare, read and compared with the block that is mined now.

    Raises `Rejected`, or `DecodeError` for what has not the form of a share.
    """
    header, proof, signatures, rest = _split(request.hex_bytes("hexblock"))
    # Existing block handlers give it with its witness, others without, and pktd takes both.
    coinbase = _read_alone(request.hex_bytes("coinbase")).encode_no_witness()
    branch = request.hex_array("merklebranch", 32)
    share_target = request.integer("sharetarget", 1, MAX_COMPACT)
    if rest != b"\x00":
        raise DecodeError("a share has no transactions: their count is 0, and nothing follows")
    if request.integer("height", 0, I32_MAX) != following.height:
        raise Rejected(f"rejected: bad-height: {following.height} is mined now")
    _check_place(header, following)
    if header.merkle_root != merkle_root(coinbase, branch):
        raise Rejected("rejected: bad-txnmrklroot: coinbase and branch lead to another root")
    return Candidate(
        height=following.height,
        header=header,
        commitment=_commitment(coinbase),
        proof=proof,
        signatures=signatures,
        share_target=share_target,
    )


def read_block(data: bytes, following: NextBlock, now: int) -> Candidate:
    """A submitted block, read and compared with what must follow.

    now : seconds since 1970. Raises `Rejected`, or `DecodeError` for what has not a block's form.
    """
    header, proof, signatures, rest = _split(data)
    transactions, encoded = _read_transactions(rest)
    _check_place(header, following)
    if header.version != VERSION:
        raise Rejected(f"rejected: bad-version: it is {header.version:#x}, not {VERSION:#x}")
    if header.bits != following.bits:
        raise Rejected(f"rejected: bad-diffbits: {header.bits:#x}, not {following.bits:#x}")
    if header.time < following.earliest:
        raise Rejected(f"rejected: time-too-old: {header.time} is before {following.earliest}")
    if header.time > now + _LATEST:
        raise Rejected(f"rejected: time-too-new: {header.time}, and it is {now}")
    _check_coinbase(transactions[0], following.height)
    if encoded[1:] != following.others:
        raise Rejected("rejected: bad-txns: they are not those of the template")
    if header.merkle_root != root_of_all([one.id for one in transactions]):
        raise Rejected("rejected: bad-txnmrklroot: the transactions lead to another root")
    return Candidate(
        height=following.height,
        header=header,
        commitment=_commitment(encoded[0]),
        proof=proof,
        signatures=signatures,
        share_target=header.bits,
        transactions=encoded,
    )


def hash_is_of_block(candidate: Candidate) -> bool:
    """Whether a good share is a block too: two milliseconds tell. What is good, `judge` says."""
    committed = BlockCommitment.decode(candidate.commitment)
    target = effective_target(candidate.header.bits, committed.max_target, committed.count)
    proof = candidate.proof
    mined = hash_of_four(candidate.header.encode(), proof.low_nonce, proof.announcements)
    return meets(mined.work_hash, target)


def judge(
    candidate: Candidate, parent_hashes: Sequence[bytes], announcement_rule: AnnouncementRule
) -> bool:
    """Whether a good share is a block, too. Slow. Raises `Rejected` for one that is not good.

    parent_hashes : of the blocks at the candidate's `parent_heights`
    """
    checked = check_block(
        candidate.header.encode(),
        candidate.commitment,
        candidate.proof,
        candidate.height,
        candidate.share_target,
        parent_hashes,
        candidate.signatures,
        announcement_rule,
    )
    if not checked.is_good:
        raise Rejected(f"rejected: {checked.name}")
    return checked.result is BlockCheck.OK


def submitted_hash(data: bytes) -> bytes:
    """The hash of a block of which only the header is looked at."""
    return BlockHeader.decode(data[:BLOCK_HEADER_SIZE]).block_hash


def _split(block: bytes) -> tuple[BlockHeader, BlockProof, tuple[bytes, ...], bytes]:
    header = BlockHeader.decode(block[:BLOCK_HEADER_SIZE])
    sections = block[BLOCK_HEADER_SIZE:]
    proof, signatures, offset = decode_proof_sections(sections, end=True)
    return header, proof, signatures, sections[offset:]


def _read_transactions(rest: bytes) -> tuple[list[Transaction], tuple[bytes, ...]]:
    count, offset = read_varint(rest, 0)
    transactions = []
    encoded = []
    for _ in range(count):
        transaction, end = read_transaction(rest, offset)
        transactions.append(transaction)
        encoded.append(rest[offset:end])
        offset = end
    if not transactions or offset != len(rest):
        raise DecodeError(
            f"a block has its transactions, the coinbase first, and nothing else: "
            f"{count} are counted, and {len(rest) - offset} bytes follow them"
        )
    return transactions, tuple(encoded)


def _read_alone(data: bytes) -> Transaction:
    transaction, end = read_transaction(data, 0)
    if end != len(data):
        raise DecodeError(
            f"the coinbase goes on for {len(data) - end} bytes after its end: nothing may follow it"
        )
    return transaction


def _check_place(header: BlockHeader, following: NextBlock) -> None:
    if header.previous_hash != following.previous_hash:
        raise Rejected(
            f"rejected: bad-prevblk: it follows {header.previous_hash[::-1].hex()}, and the tip is "
            f"{following.previous_hash[::-1].hex()}"
        )


def _check_coinbase(coinbase: Transaction, height: int) -> None:
    if [one.outpoint for one in coinbase.inputs] != [NO_OUTPOINT]:
        raise Rejected("rejected: bad-cb-missing: the first transaction is no coinbase")
    if not coinbase.inputs[0].script.startswith(height_script(height)):
        raise Rejected(f"rejected: bad-cb-height: its script does not begin with {height}")
    values = [output.value for output in coinbase.outputs]
    if min(values, default=0) < 0 or sum(values) > REWARD:
        raise Rejected(f"rejected: bad-cb-amount: it pays {sum(values)}, {REWARD} at most")


def _commitment(coinbase: bytes) -> bytes:
    if coinbase.count(_COMMITMENT_START) != 1 or PLACEHOLDER in coinbase:
        raise Rejected("rejected: bad-cb-commitment: the coinbase has not one commitment")
    start = coinbase.index(_COMMITMENT_START) + 2
    return coinbase[start : start + COMMITMENT_SIZE]
