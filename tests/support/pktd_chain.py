"""A chain and its rules, as far as a pool meets them: templates, shares, blocks."""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handler_announcements import KNOWN_JOBS

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.block_check import BlockCheck, check_block
from packetcrypt.protocol.block_header import BLOCK_HEADER_SIZE, BlockHeader, merkle_root
from packetcrypt.protocol.block_proof import BlockProof, decode_proof_sections
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.commitment import COMMITMENT_SIZE, MAGIC, PLACEHOLDER
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact
from packetcrypt.protocol.pool_messages import BlockInfo
from packetcrypt.protocol.validation import CheckedAnnouncement, check_announcement
from packetcrypt.protocol.varint import read_varint
from packetcrypt.protocol.work_file import BlockWork

HEIGHT = 1000006
"""of the first block to be mined: the known announcements are old enough for it"""
BLOCK_BITS = target_to_compact(target_of_work(400))
"""one hash in some is a block, with the few announcements of the tests"""
SHARE_TARGET = 0x207FFFFF

_WITNESS = bytes.fromhex("0120") + bytes(32)
_TIME = 1_700_000_000
_COMMITMENT_START = bytes.fromhex("6a30") + MAGIC


# The same few announcements are in many shares, and a check takes some 50 ms.
_check_once = functools.cache(check_announcement)


class Rejected(Exception):
    """What the node says no to; the message is its reason."""


@dataclass
class PktdChain:
    """Blocks from `HEIGHT` − 1 on, and the one to be mined.

    announcement_check : what says whether an announcement is valid
    parent_hashes      : by height, of parents that are not among the blocks
    first_height       : of the made-up block that is the tip at first
    block_bits         : compact target of every block
    share_target       : of the shares that are checked
    """

    announcement_check: Callable[[bytes, bytes], CheckedAnnouncement] = _check_once
    blocks: list[BlockInfo] = field(default_factory=list)
    others: tuple[bytes, ...] = (b"first payment" * 20, b"second payment" * 20)
    parent_hashes: Mapping[int, bytes] = field(
        default_factory=lambda: {job.parent_height: job.parent_hash for job in KNOWN_JOBS}
    )

    first_height: int = HEIGHT - 1
    block_bits: int = BLOCK_BITS
    share_target: int = SHARE_TARGET

    def __post_init__(self) -> None:
        self.add_made_up_block(self.first_height)

    @property
    def tip(self) -> BlockInfo:
        return self.blocks[-1]

    def add_made_up_block(self, height: int | None = None) -> BlockInfo:
        """A block that somebody else found."""
        height = self.tip.height + 1 if height is None else height
        header = BlockHeader(
            version=0x20000000,
            previous_hash=self.tip.hash if self.blocks else b"\x05" * 32,
            merkle_root=bytes(32),
            time=_TIME + 60 * (height - HEIGHT),
            bits=self.block_bits,
            nonce=0,
        )
        return self._append(header, height)

    def template(self) -> BlockTemplate:
        """The next block; a coinbase and two other transactions."""
        height = self.tip.height + 1
        start, end = bytes.fromhex("01000000"), bytes(4)
        middle = b"made-up input" + height.to_bytes(4, "little") + PLACEHOLDER + b"outputs"
        no_witness = start + middle + end
        ids = [_double_sha256(no_witness), *map(_double_sha256, self.others)]
        return BlockTemplate(
            height=height,
            header=BlockHeader(
                version=0x20000000,
                previous_hash=self.tip.hash,
                merkle_root=bytes(32),
                time=_TIME + 60 * (height - HEIGHT),
                bits=self.block_bits,
                nonce=0,
            ),
            coinbase_no_witness=no_witness,
            merkle_branch=_branch_of_first(ids),
            transactions=(start + b"\x00\x01" + middle + _WITNESS + end, *self.others),
        )

    def work(self, signing_key: bytes = bytes(32)) -> BlockWork:
        """What a master makes of the template."""
        template = self.template()
        return BlockWork(
            header=template.header,
            signing_key=signing_key,
            share_target=self.share_target,
            ann_target=0x207FFFFF,
            height=template.height,
            coinbase_no_witness=template.coinbase_no_witness,
            merkle_branch=template.merkle_branch,
        )

    def check_share(self, request: Mapping[str, Any]) -> str:
        """checkpcshare; raises `Rejected`."""
        names = {"sharetarget", "height", "hexblock", "coinbase", "merklebranch"}
        if set(request) != names:
            raise Rejected(f"the fields are {sorted(request)}")
        header, proof, signatures, rest = _parse(bytes.fromhex(request["hexblock"]))
        coinbase = bytes.fromhex(request["coinbase"])
        branch = [bytes.fromhex(sibling) for sibling in request["merklebranch"]]
        if rest != b"\x00":
            raise Rejected("a share has no transactions")
        if request["height"] != self.tip.height + 1:
            raise Rejected(f"height {request['height']} is not mined now")
        if request["sharetarget"] != self.share_target:
            raise Rejected(f"share target {request['sharetarget']:#x} is not the work's")
        self._refuse_known(header)
        if header.merkle_root != merkle_root(coinbase, branch):
            raise Rejected("bad merkle root")
        result = self._check(header, _commitment(coinbase), proof, signatures)
        return "RESUBMIT_AS_BLOCK" if result is BlockCheck.OK else "OK"

    def submit_block(self, block: bytes) -> None:
        """submitblock; the block is the new tip. Raises `Rejected`."""
        header, proof, signatures, rest = _parse(block)
        self._refuse_known(header)
        count, offset = read_varint(rest, 0)
        template = self.template()
        coinbase = rest[offset : offset + len(template.transactions[0])]
        if rest[offset + len(coinbase) :] != b"".join(self.others) or count != 3:
            raise Rejected("the transactions are not the template's")
        no_witness = coinbase[:4] + coinbase[6 : -4 - len(_WITNESS)] + coinbase[-4:]
        ids = [_double_sha256(no_witness), *map(_double_sha256, self.others)]
        if header.merkle_root != _merkle_root_of_all(ids):
            raise Rejected("bad merkle root")
        expected = template.header
        if (header.version, header.time, header.bits) != (
            expected.version,
            expected.time,
            expected.bits,
        ):
            raise Rejected("the header is not the template's")
        if self._check(header, _commitment(coinbase), proof, signatures) is not BlockCheck.OK:
            raise Rejected("high-hash")
        self._append(header, self.tip.height + 1)

    def _check(
        self,
        header: BlockHeader,
        commitment: bytes,
        proof: BlockProof,
        signatures: Sequence[bytes],
    ) -> BlockCheck:
        if header.previous_hash != self.tip.hash:
            raise Rejected("rejected: it is not on the tip")
        hashes = {**self.parent_hashes, **{block.height: block.hash for block in self.blocks}}
        parents = [
            hashes.get(AnnouncementHeader.decode(one).parent_height, bytes(32))
            for one in proof.announcements
        ]
        checked = check_block(
            header.encode(),
            commitment,
            proof,
            self.tip.height + 1,
            self.share_target,
            parents,
            signatures,
            self.announcement_check,
        )
        if not checked.is_good:
            raise Rejected(f"rejected: {checked.name}")
        return checked.result

    def _refuse_known(self, header: BlockHeader) -> None:
        if any(block.hash == header.block_hash for block in self.blocks):
            raise Rejected("rejected: already have block")

    def _append(self, header: BlockHeader, height: int) -> BlockInfo:
        block = BlockInfo(
            hash=header.block_hash,
            height=height,
            version=header.version,
            merkle_root=header.merkle_root,
            time=header.time,
            nonce=header.nonce,
            bits=header.bits,
            difficulty=1.5,
            previous_hash=header.previous_hash,
        )
        self.blocks.append(block)
        return block


def _parse(block: bytes) -> tuple[BlockHeader, BlockProof, tuple[bytes, ...], bytes]:
    header = BlockHeader.decode(block[:BLOCK_HEADER_SIZE])
    sections = block[BLOCK_HEADER_SIZE:]
    proof, signatures, offset = decode_proof_sections(sections, end=True)
    return header, proof, signatures, sections[offset:]


def _commitment(coinbase: bytes) -> bytes:
    if coinbase.count(_COMMITMENT_START) != 1 or PLACEHOLDER in coinbase:
        raise Rejected("the coinbase has no commitment")
    start = coinbase.index(_COMMITMENT_START) + 2
    return coinbase[start : start + COMMITMENT_SIZE]


def _branch_of_first(ids: Sequence[bytes]) -> tuple[bytes, ...]:
    """The siblings on the way from the first leaf up, by Bitcoin's rule for odd layers."""
    branch = []
    layer = list(ids)
    while len(layer) > 1:
        layer += layer[-1:] * (len(layer) % 2)
        branch.append(layer[1])
        layer = [_double_sha256(a + b) for a, b in zip(layer[::2], layer[1::2], strict=True)]
    return tuple(branch)


def _merkle_root_of_all(ids: Sequence[bytes]) -> bytes:
    layer = list(ids)
    while len(layer) > 1:
        layer += layer[-1:] * (len(layer) % 2)
        layer = [_double_sha256(a + b) for a, b in zip(layer[::2], layer[1::2], strict=True)]
    return layer[0]


def _double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
