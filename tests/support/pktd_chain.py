"""A chain that tests make up as they want; the rules are those of a development chain."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler_announcements import KNOWN_JOBS

from packetcrypt.pool.devchain_rules import (
    AnnouncementRule,
    Candidate,
    Rejected,
    judge,
    read_block,
    read_share,
    submitted_hash,
)
from packetcrypt.pool.devchain_templates import (
    VERSION,
    NextBlock,
    made_up_transactions,
    make_template,
)
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.pool_messages import BlockInfo
from packetcrypt.protocol.validation import check_announcement
from packetcrypt.protocol.work_file import BlockWork

HEIGHT = 1000006
"""of the first block to be mined: the known announcements are old enough for it"""
BLOCK_BITS = target_to_compact(target_of_work(400))
"""one hash in some is a block, with the few announcements of the tests"""
SHARE_TARGET = 0x207FFFFF

_TIME = 1_700_000_000

# The same few announcements are in many shares, and a check takes some 50 ms.
_check_once = functools.cache(check_announcement)


@dataclass
class PktdChain:
    """Blocks from `HEIGHT` − 1 on, and the one to be mined.

    announcement_check : what says whether an announcement is valid
    others             : transactions after the coinbase, encoded
    parent_hashes      : by height, of parents that are not among the blocks
    first_height       : of the made-up block that is the tip at first
    block_bits         : compact target of every block
    share_target       : of the shares that are checked
    """

    announcement_check: AnnouncementRule = _check_once
    blocks: list[BlockInfo] = field(default_factory=list)
    others: tuple[bytes, ...] = made_up_transactions(HEIGHT, bytes(32))
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
            version=VERSION,
            previous_hash=self.tip.hash if self.blocks else b"\x05" * 32,
            merkle_root=bytes(32),
            time=_time_of(height),
            bits=self.block_bits,
            nonce=0,
        )
        return self._append(header, height)

    @property
    def following(self) -> NextBlock:
        """What the next block must be."""
        height = self.tip.height + 1
        return NextBlock(
            height=height,
            previous_hash=self.tip.hash,
            bits=self.block_bits,
            earliest=_time_of(height),
            others=self.others,
        )

    def template(self) -> BlockTemplate:
        """The next block, which pays nobody; always the same, until a block or `others` change."""
        following = self.following
        return make_template(following, {}, following.earliest)

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
        # A development chain judges by any target, and ignores fields that it does not know.
        names = {"sharetarget", "height", "hexblock", "coinbase", "merklebranch"}
        if set(request) != names:
            raise Rejected(f"the fields are {sorted(request)}")
        if request["sharetarget"] != self.share_target:
            raise Rejected(f"share target {request['sharetarget']:#x} is not the work's")
        self._refuse_known(bytes.fromhex(request["hexblock"]))
        candidate = read_share(JsonFields(request, "the share"), self.following)
        return "RESUBMIT_AS_BLOCK" if self._judge(candidate) else "OK"

    def submit_block(self, block: bytes) -> None:
        """submitblock; the block is the new tip. Raises `Rejected`."""
        self._refuse_known(block)
        following = self.following
        candidate = read_block(block, following, following.earliest)
        # A development chain takes later times, too; a pool's work has the template's.
        if candidate.header.time != following.earliest:
            raise Rejected("the time is not the template's")
        if not self._judge(candidate):
            raise Rejected("high-hash")
        self._append(candidate.header, candidate.height)

    def _judge(self, candidate: Candidate) -> bool:
        hashes = {**self.parent_hashes, **{block.height: block.hash for block in self.blocks}}
        parents = [hashes.get(height, bytes(32)) for height in candidate.parent_heights]
        return judge(candidate, parents, self.announcement_check)

    def _refuse_known(self, data: bytes) -> None:
        if any(block.hash == submitted_hash(data) for block in self.blocks):
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


def _time_of(height: int) -> int:
    return _TIME + 60 * (height - HEIGHT)
