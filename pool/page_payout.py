"""Whom the next block pays, how much, and why, in words."""

from dataclasses import dataclass
from typing import Final

from packetcrypt.pool.page_names import Name, name_of
from packetcrypt.pool.page_paymaker import PaidFor, PaidSide, PaymakerReport
from packetcrypt.pool.page_text import duration, percent, significant

SHOWN_ROWS: Final = 100
"""addresses; the smallest parts of a large pool are summed up"""
_ROUNDING: Final = 1e-9

_NOTHING: Final = PaidFor(True, PaidSide(0.0, 0.0), PaidSide(0.0, 0.0))


@dataclass(frozen=True)
class PaidPart:
    """One reason for a part of the payout, e.g. 37.5 % for block shares worth 0.75 credits."""

    percent: str
    reason: str


@dataclass(frozen=True)
class PayoutRow:
    """What an address gets, and which parts that is made of, none if the paymaker does not say."""

    name: Name | None
    percent: str
    bar: str
    parts: tuple[PaidPart, ...]


@dataclass(frozen=True)
class PayoutSection:
    """The next payout.

    is_known : false as long as the paymaker has not said it
    rule     : a sentence about the work that is paid
    warmup   : a sentence about how long a new miner takes
    hidden   : a sentence about addresses that are not shown, or ""
    unpaid   : names that are no addresses, and their parts, which the default address gets
    latest   : when the node last took a payout, milliseconds since 1970
    """

    is_known: bool
    rows: tuple[PayoutRow, ...] = ()
    rule: str = ""
    warmup: str = ""
    hidden: str = ""
    unpaid: tuple[PayoutRow, ...] = ()
    latest: int | None = None


def payout_section(report: PaymakerReport | None, root: str) -> PayoutSection:
    """The section; root is the path that links to miners' pages begin with."""
    if report is None:
        return PayoutSection(is_known=False)
    ordered = sorted(report.payout.items(), key=lambda entry: (-entry[1], entry[0]))
    rest = ordered[SHOWN_ROWS:]
    hidden = ""
    if rest:
        part = percent(sum(fraction for _, fraction in rest))
        hidden = f"{len(rest)} more addresses get {part} together; look yours up."
    unpaid = [
        (name, why.blocks.share + why.announcements.share)
        for name, why in (report.why or {}).items()
        if not why.payable
    ]
    unpaid.sort(key=lambda entry: (-entry[1], entry[0]))
    return PayoutSection(
        is_known=True,
        rows=tuple(_row(report, name, fraction, root) for name, fraction in ordered[:SHOWN_ROWS]),
        rule=_rule(report),
        warmup=warmup_sentence(report),
        hidden=hidden,
        unpaid=tuple(
            PayoutRow(name_of(name, root), percent(fraction), _bar(fraction), ())
            for name, fraction in unpaid[:SHOWN_ROWS]
        ),
        latest=report.latest_payout,
    )


def _row(report: PaymakerReport, name: str, fraction: float, root: str) -> PayoutRow:
    parts = paid_parts(report, name, fraction)
    return PayoutRow(name_of(name, root), percent(fraction), _bar(fraction), parts)


def _bar(fraction: float) -> str:
    return f"{min(100.0, 100 * fraction):.2f}%"


def paid_parts(report: PaymakerReport, name: str, fraction: float) -> tuple[PaidPart, ...]:
    """What the part of an address is made of."""
    if report.why is None:
        return ()
    why = report.why.get(name, _NOTHING)
    parts = []
    for side, work in ((why.blocks, "block shares"), (why.announcements, "announcements")):
        if side.share > 0:
            credits = f"{significant(side.credits)} credits"
            parts.append(PaidPart(percent(side.share), f"for {work} worth {credits}"))
    earned = why.blocks.share + why.announcements.share
    if name == report.fee_address and report.pool_fee > 0:
        parts.append(PaidPart(percent(report.pool_fee), "is the pool’s fee"))
        earned += report.pool_fee
    if (rest := fraction - earned) > _ROUNDING:
        is_default = name == report.default_address
        reason = "is what nobody earned (default address)" if is_default else "for other reasons"
        parts.append(PaidPart(percent(rest), reason))
    return tuple(parts)


def _rule(report: PaymakerReport) -> str:
    works = []
    if report.block_warmup > 0:
        works.append(f"block shares of the last {duration(report.block_warmup)}")
    if report.announcement_warmup > 0:
        works.append(f"announcements of the last {duration(report.announcement_warmup)}")
    if not works:
        return "No work is paid yet."
    fee = f"after a pool fee of {percent(report.pool_fee)}" if report.pool_fee else "without a fee"
    return f"It pays for {' and '.join(works)}, {fee}."


def warmup_sentence(report: PaymakerReport) -> str:
    """How long a new miner takes to be paid fully."""
    waits = []
    if report.announcement_warmup > 0:
        waits.append(f"{duration(report.announcement_warmup)} of announcements")
    if report.block_warmup > 0:
        waits.append(f"{duration(report.block_warmup)} of block shares")
    if not waits:
        return "Warm-up: there is none yet. Whoever begins now is paid for all of the work."
    waited = " or ".join(waits)
    return (
        f"Warm-up: a new miner earns its full part after {waited}, because work from so far back "
        "is paid. The part shrinks as slowly after a miner has stopped."
    )
