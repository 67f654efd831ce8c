"""Which of the latest work is paid: PPLNS, "pay per last N shares" (spec 2 "Paymaker").

The walk goes from the newest credit to older ones and pays each ÷ a constant, until the side's part
of the payout is spent. So a side pays for its last part × constant credits, whoever earned them;
the oldest one paid may be paid in part.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from packetcrypt.pool.payout_credits import Integers, Reals

MINUTE: Final = 60_000
"""milliseconds"""


@dataclass(frozen=True)
class Credited:
    """Credited work, oldest first: columns of the same length.

    times     : milliseconds since 1970, ascending
    addresses : numbers of addresses
    """

    times: Integers
    addresses: Integers
    credits: Reals


@dataclass(frozen=True)
class Window:
    """What one side of the payout pays.

    credits  : paid credits, by address number
    fraction : of the whole payout that one credit gets
    begin    : time of the oldest work that is paid, milliseconds since 1970; None: nothing is paid
    end      : of the newest
    """

    credits: Reals
    fraction: float
    begin: int | None
    end: int | None

    @property
    def fractions(self) -> Reals:
        """Parts of the whole payout, by address number."""
        return self.credits * self.fraction


def paid_credits(credits: Reals, limit: float) -> Reals:
    """How much of each credit, oldest first, is among the newest `limit` credits."""
    from_newest = np.cumsum(credits[::-1])[::-1]
    newer = from_newest - credits
    return np.clip(limit - newer, 0.0, credits)


def walk(work: Credited, constant: float, part: float, addresses: int) -> Window:
    """One side's payout.

    constant  : credits that would be paid if the side had all of the payout
    part      : of the payout that the side has, 0..1
    addresses : how many address numbers there are
    """
    paid = paid_credits(work.credits, part * constant)
    by_address: Reals = np.bincount(work.addresses, paid, addresses).astype(np.float64)
    (places,) = np.nonzero(paid)
    if not len(places):
        return Window(by_address, 1 / constant, None, None)
    begin, end = (int(work.times[place]) for place in (places[0], places[-1]))
    return Window(by_address, 1 / constant, begin, end)


def minute_merged(work: Credited, limit: float) -> Credited:
    """Work in which the minute where the newest `limit` credits end has one piece an address.

    A piece stands in the place of the newest work in it: so a miner of many small posts stands like
    one of few large ones where the window begins. Minutes after it are paid whole and left as they
    are; what is older, and not paid, is left out.
    """
    from_newest = np.cumsum(work.credits[::-1])[::-1]
    (reaching,) = np.nonzero(from_newest >= limit)
    if not len(reaching):
        return work
    minute = work.times[reaching[-1]] // MINUTE * MINUTE
    begin, end = np.searchsorted(work.times, [minute, minute + MINUTE])
    numbers, places = np.unique(work.addresses[begin:end], return_inverse=True)
    credits = np.bincount(places, weights=work.credits[begin:end])
    newest = np.zeros(len(numbers), np.int64)
    newest[places] = work.times[begin:end]  # ascending, so that the newest is written last
    order = np.lexsort((numbers, newest))
    return Credited(
        np.concatenate([newest[order], work.times[end:]]),
        np.concatenate([numbers[order], work.addresses[end:]]),
        np.concatenate([credits[order], work.credits[end:]]),
    )
