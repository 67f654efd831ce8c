"""What is offered for the next block of a development chain.

Besides the coinbase every block has two made-up transactions, so that Merkle branches are real.
They spend what nobody had, and follow from the block before, not from who is paid: so a block fits
whatever payouts were configured when its template was made, also before a restart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from packetcrypt.client.pktd_block import UNITS_PER_PKT
from packetcrypt.pool.devchain_coinbase import coinbase, split_reward
from packetcrypt.pool.devchain_merkle import branch_of_first
from packetcrypt.pool.devchain_scripts import script_of
from packetcrypt.pool.devchain_transactions import Input, Output, Transaction, double_sha256
from packetcrypt.protocol.address import WitnessProgram
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.primitives import h32

VERSION: Final = 0x20000000

_OTHERS: Final = 2


@dataclass(frozen=True, kw_only=True)
class NextBlock:
    """What a block must be to follow the tip.

    previous_hash : of the tip, 32 bytes, internal byte order
    bits          : compact target
    earliest      : seconds since 1970 that its header must have at least
    others        : its transactions after the coinbase, encoded
    """

    height: int
    previous_hash: bytes
    bits: int
    earliest: int
    others: tuple[bytes, ...]


def made_up_transactions(height: int, previous_hash: bytes) -> tuple[bytes, ...]:
    """What else is in the block of this height, encoded."""
    label = height.to_bytes(4, "little") + previous_hash
    return tuple(
        Transaction(
            (Input(h32(b"spent" + label + bytes([number])) + bytes(4), b""),),
            (Output(UNITS_PER_PKT, script_of(WitnessProgram(0, h32(b"paid" + label)[:20]))),),
        ).encode()
        for number in range(_OTHERS)
    )


def make_template(block: NextBlock, payouts: Mapping[str, float], now: int) -> BlockTemplate:
    """The template of the next block.

    payouts : fractions by address; any sum, it is what the whole reward is split by
    now     : seconds since 1970
    """
    ids = [double_sha256(other) for other in block.others]
    made = coinbase(block.height, split_reward(payouts), ids)
    return BlockTemplate(
        height=block.height,
        header=BlockHeader(
            version=VERSION,
            previous_hash=block.previous_hash,
            merkle_root=bytes(32),
            time=max(now, block.earliest),
            bits=block.bits,
            nonce=0,
        ),
        coinbase_no_witness=made.encode_no_witness(),
        merkle_branch=branch_of_first([made.id, *ids]),
        transactions=(made.encode(), *block.others),
    )
