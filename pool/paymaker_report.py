"""Whom the next blocks pay, and why: what `GET /whotopay` and the node are told (spec 2)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from packetcrypt.pool.ledger_rows import Rows
from packetcrypt.pool.paymaker_body import is_payable
from packetcrypt.pool.paymaker_history import Snapshot
from packetcrypt.pool.payout_credits import Integers, Reals, credits_of
from packetcrypt.pool.payout_split import PayoutRules, split
from packetcrypt.pool.payout_walk import Credited, Window, minute_merged, walk

RATE_SPAN: Final = 10 * 60_000
"""milliseconds over which speeds are averaged"""
RATE_DELAY: Final = 60_000
"""milliseconds by which that span ends earlier, because pay logs come up to a minute late"""

_ANNOUNCEMENT_BITS: Final = 1024 * 8


@dataclass(frozen=True)
class Miners:
    """What was done in the history, by address number.

    events      : how many; the others say nothing where it is 0
    first, last : time of the oldest and newest event, milliseconds since 1970
    kbps        : thousands of bits of announcements a second, lately (`RATE_SPAN`)
    encryptions : a second, likewise
    """

    events: Integers
    first: Integers
    last: Integers
    kbps: Reals
    encryptions: Reals


@dataclass(frozen=True)
class WhoToPay:
    """The payout of one moment, and what it is made of.

    at     : the moment, milliseconds since 1970
    payout : fractions by address, together 1
    blocks, announcements             : what either side pays
    block_miners, announcement_miners : who did the work
    """

    at: int
    rules: PayoutRules
    snapshot: Snapshot
    payout: dict[str, float]
    blocks: Window
    announcements: Window
    block_miners: Miners
    announcement_miners: Miners


def who_to_pay(snapshot: Snapshot, rules: PayoutRules, at: int) -> WhoToPay:
    """The payout by what happened up to `at`, milliseconds since 1970."""
    count = len(snapshot.addresses)
    shares, announcements = (
        rows[: np.searchsorted(rows["time"], at, side="right")]
        for rows in (snapshot.shares, snapshot.announcements)
    )
    blocks = walk(_credited(snapshot, shares), rules.block_constant, rules.block_part, count)
    rest = 1 - rules.block_part
    posts = minute_merged(_credited(snapshot, announcements), rest * rules.announcement_constant)
    anns = walk(posts, rules.announcement_constant, rest, count)
    earned = blocks.fractions + anns.fractions
    payable = [
        (snapshot.addresses[number], float(earned[number]))
        for number in np.nonzero(earned)[0]
        if is_payable(snapshot.addresses[number])
    ]
    return WhoToPay(
        at,
        rules,
        snapshot,
        split(rules, payable),
        blocks,
        anns,
        _miners(shares, at, count),
        _miners(announcements, at, count),
    )


def _credited(snapshot: Snapshot, work: Rows) -> Credited:
    times = np.ascontiguousarray(work["time"])
    credits = credits_of(
        times,
        work["work"],
        snapshot.blocks["time"],
        snapshot.blocks["difficulty"],
        snapshot.first_difficulty,
    )
    return Credited(times, work["address"], credits)


def _miners(work: Rows, at: int, count: int) -> Miners:
    first, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    # The rows ascend in time, and what is written last stays.
    last[work["address"]] = work["time"]
    first[work["address"][::-1]] = work["time"][::-1]
    end = at - RATE_DELAY
    span = slice(*np.searchsorted(work["time"], [end - RATE_SPAN, end], side="right"))
    seconds = RATE_SPAN / 1000
    done = {
        name: np.bincount(work["address"][span], weights=work[name][span], minlength=count)
        for name in ("announcements", "encryptions")
    }
    return Miners(
        np.bincount(work["address"], minlength=count),
        first,
        last,
        done["announcements"] * _ANNOUNCEMENT_BITS / seconds / 1000,
        done["encryptions"] / seconds,
    )
