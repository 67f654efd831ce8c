"""Whom the next blocks are to pay: the argument of configureminingpayouts."""

import math
from collections.abc import Mapping
from typing import Final

from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.errors import DecodeError

Payouts = Mapping[str, float]
"""fractions of the reward by address, 1 together; empty if nobody is to be paid"""

_TOLERANCE: Final = 1e-3
"""of the sum: whoever adds many fractions up rounds"""


def read_payouts(value: object) -> Payouts:
    """What was given as payouts; `DecodeError` says what is wrong with them."""
    if not isinstance(value, dict):
        raise DecodeError("payouts are an object of fractions by address")
    for address, part in value.items():
        parse_address(address)
        if isinstance(part, bool) or not isinstance(part, int | float) or not 0 <= part <= 1:
            raise DecodeError(f"{address} is to be paid {part!r}: give a fraction from 0 to 1")
    total = math.fsum(value.values())
    if value and abs(total - 1) > _TOLERANCE:
        raise DecodeError(f"the fractions of all addresses are {total:g} together: 1 is the reward")
    return {address: float(part) for address, part in value.items()}
