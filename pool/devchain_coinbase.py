"""Whom a block of a development chain pays, and the transaction that does it."""

from collections.abc import Mapping, Sequence
from typing import Final

from packetcrypt.client.pktd_block import UNITS_PER_PKT
from packetcrypt.pool.devchain_merkle import root_of_all
from packetcrypt.pool.devchain_scripts import OP_RETURN, script_of
from packetcrypt.pool.devchain_transactions import (
    NO_OUTPOINT,
    Input,
    Output,
    Transaction,
    double_sha256,
)
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.commitment import PLACEHOLDER

REWARD: Final = 4166 * UNITS_PER_PKT
"""atomic units a block, as the real chain's first blocks had"""

_DUST: Final = UNITS_PER_PKT // 1000
"""no output is smaller: whoever would get less goes empty, for the benefit of the largest"""
_TAG: Final = b"\x08devchain"
"""a push of the chain's name"""
_RESERVED: Final = bytes(32)
"""the coinbase's witness (BIP 141)"""
_WITNESS_COMMITMENT: Final = bytes.fromhex("aa21a9ed")


def coinbase(
    height: int, paid: Sequence[tuple[str, int]], other_ids: Sequence[bytes]
) -> Transaction:
    """The first transaction of a block, with the placeholder for its commitment.

    paid : addresses and atomic units
    """
    witness_root = root_of_all([bytes(32), *other_ids])
    hidden = _WITNESS_COMMITMENT + double_sha256(witness_root + _RESERVED)
    outputs = [Output(value, script_of(parse_address(address))) for address, value in paid]
    outputs.append(Output(0, bytes([OP_RETURN, len(hidden)]) + hidden))
    outputs.append(Output(0, PLACEHOLDER))
    script = height_script(height) + _TAG
    return Transaction((Input(NO_OUTPOINT, script, witness=(_RESERVED,)),), tuple(outputs))


def height_script(height: int) -> bytes:
    """How the script of a coinbase begins: its block's height (BIP 34)."""
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(number)]) + number


def split_reward(payouts: Mapping[str, float]) -> tuple[tuple[str, int], ...]:
    """Whom a block pays: addresses and atomic units, which are the whole reward.

    Nobody, if no payouts are configured. What is left by rounding goes to the largest.
    """
    total = sum(payouts.values())
    if not total:
        return ()
    shares = {address: int(REWARD * part / total) for address, part in payouts.items()}
    largest = max(shares, key=shares.__getitem__)
    paid = {a: value for a, value in shares.items() if value >= _DUST and a != largest}
    paid[largest] = REWARD - sum(paid.values())
    return tuple((address, paid[address]) for address in shares if address in paid)
