"""What a node's block template becomes for the pool's miners (spec 2 "Master")."""

from dataclasses import dataclass, field

from packetcrypt.pool.work_files import PublishedWork
from packetcrypt.protocol.announcement_signature import UNSIGNED_KEY, public_key
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.difficulty import (
    MAX_COMPACT,
    target_of_work,
    target_to_compact,
    work_of_compact,
)
from packetcrypt.protocol.signing_seed import signing_seed
from packetcrypt.protocol.work_file import BlockWork


def share_target(block_target: int, divisor: int) -> int:
    """The compact target of a share: that of a `divisor`-th of the block's work.

    Because effective work goes with the cube of it (spec 1 §1), a block is worth about divisor³
    shares.
    """
    work = work_of_compact(block_target) // divisor
    return min(MAX_COMPACT, target_to_compact(target_of_work(work)))


@dataclass(frozen=True)
class SigningKeys:
    """The pool's keys for announcements, one for each height; none if `private_seed` is ""."""

    private_seed: str = field(repr=False)

    def key_of_parent(self, parent_height: int) -> bytes | None:
        """The public key that announcements with a parent of this height carry; None: unsigned."""
        if not self.private_seed:
            return None
        return public_key(signing_seed(self.private_seed, parent_height + 1))


@dataclass(frozen=True)
class WorkMaker:
    """Makes work of templates.

    ann_target : easiest work bits of announcements that the pool takes, compact
    divisor    : see `share_target`
    """

    ann_target: int
    divisor: int
    keys: SigningKeys

    def make(self, template: BlockTemplate) -> PublishedWork:
        """The work for the template's height."""
        work = BlockWork(
            header=template.header,
            signing_key=self.keys.key_of_parent(template.height) or UNSIGNED_KEY,
            share_target=share_target(template.header.bits, self.divisor),
            ann_target=self.ann_target,
            height=template.height,
            coinbase_no_witness=template.coinbase_no_witness,
            merkle_branch=template.merkle_branch,
        )
        return PublishedWork(work, template)
