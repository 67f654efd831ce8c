"""Who gets which part of a payout: the fee first, then the miners, and what remains (spec 2)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_ROUNDING: Final = 1e-12
"""parts of a payout below this are what adding up fractions leaves behind"""


@dataclass(frozen=True)
class PayoutRules:
    """The settings of the payout (see `PaymakerSettings`).

    block_part            : of the payout that is for shares; the others are for announcements
    block_constant        : credits of shares that would be paid if they had all of the payout
    announcement_constant : likewise of announcements
    """

    default_address: str
    pool_fee: float
    pool_fee_address: str
    block_part: float
    block_constant: float
    announcement_constant: float


def split(rules: PayoutRules, earned: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The payout by address, largest first; the fractions are positive and sum up to 1.

    earned : addresses and fractions before the fee, together at most 1; an address may come again
    """
    parts: dict[str, list[float]] = {}
    for address, fraction in earned:
        parts.setdefault(address, []).append(fraction * (1 - rules.pool_fee))
    if rules.pool_fee:
        parts.setdefault(rules.pool_fee_address, []).append(rules.pool_fee)
    paid = math.fsum(part for of_one in parts.values() for part in of_one)
    if (rest := 1 - paid) > _ROUNDING:
        parts.setdefault(rules.default_address, []).append(rest)
    payout = {address: math.fsum(of_one) for address, of_one in parts.items()}
    ordered = sorted(payout.items(), key=lambda entry: (-entry[1], entry[0]))
    return {address: fraction for address, fraction in ordered if fraction > 0}
