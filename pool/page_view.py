"""What the pool's page says, in words and figures: pure functions of what the master knows.

Each section is a value of its own: only those that differ from the last ones are sent to browsers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from packetcrypt.pool.page_chart import Drawing, Point, bar_chart, line_chart
from packetcrypt.pool.page_handlers import HandlerState, HandlerStatus
from packetcrypt.pool.page_names import Name, name_of
from packetcrypt.pool.page_paymaker import ListedBlock
from packetcrypt.pool.page_payout import PayoutSection, payout_section
from packetcrypt.pool.page_rates import SPAN_MILLISECONDS, RateSample
from packetcrypt.pool.page_text import duration, percent, prefix_of, significant, whole, with_unit
from packetcrypt.pool.page_watch import PoolState

SHOWN_BLOCKS: Final = 12
"""of this pool; older ones are in the paymaker's ledger"""
_CHART_BARS: Final = 80
"""blocks of the chain; more would touch each other"""
_RECENT: Final = 120_000
"""a share is in a pay log for a minute before the paymaker hears of it, or of its block"""


@dataclass(frozen=True)
class Tile:
    """One figure. moment: the time that `note` ends with, milliseconds since 1970."""

    label: str
    value: str
    unit: str = ""
    note: str = ""
    moment: int | None = None


@dataclass(frozen=True)
class Freshness:
    """How old the figures are.

    at              : of when they are; None: there are none yet
    paymaker_silent : since when the paymaker has not answered; None: it answers
    node_silent     : likewise the node
    has_work        : whether the node has given work: without it nobody can mine
    """

    at: int | None
    paymaker_silent: int | None
    node_silent: int | None
    has_work: bool


@dataclass(frozen=True)
class Chart:
    """summary says in words what the drawing shows; drawing is None if there is nothing to draw."""

    key: str
    title: str
    unit: str
    summary: str
    drawing: Drawing | None


@dataclass(frozen=True)
class BlockRow:
    """A block that the pool found; state is empty if all is well with it."""

    height: str
    time: int
    finder: Name | None
    hash: str | None
    state: str = ""


@dataclass(frozen=True)
class BlocksSection:
    """is_known: false as long as the paymaker has not said anything."""

    rows: tuple[BlockRow, ...]
    is_known: bool
    note: str = ""


@dataclass(frozen=True)
class HandlerRow:
    """tone is "good", "warn", "bad" or "none"."""

    name: str
    kind: str
    url: str
    status: str
    tone: str
    problems: tuple[str, ...]
    since: int | None


@dataclass(frozen=True)
class PoolPage:
    """All sections."""

    freshness: Freshness
    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    blocks: BlocksSection
    payout: PayoutSection
    handlers: tuple[HandlerRow, ...]


def pool_page(state: PoolState, root: str) -> PoolPage:
    """The page; root is the path that links to miners' pages begin with."""
    return PoolPage(
        freshness(state),
        _tiles(state),
        _charts(state),
        _blocks(state, root),
        payout_section(state.paymaker.value, root),
        tuple(map(_handler, state.handlers)),
    )


def freshness(state: PoolState) -> Freshness:
    """Of which time the figures are."""
    return Freshness(
        state.paymaker.at,
        state.paymaker.silent_since or state.blocks.silent_since,
        state.node_silent,
        has_work=state.height is not None,
    )


def _tiles(state: PoolState) -> tuple[Tile, ...]:
    report = state.paymaker.value
    if state.height is None:
        height = Tile("Mining block", "–", note="no work from the node yet")
    else:
        tip = _tip_time(state)
        note = "time of the last block unknown" if tip is None else "last block"
        height = Tile("Mining block", whole(state.height), note=note, moment=tip)
    if report is None:
        names = ("Announcements", "Encryptions", "Blocks of the chain", "Found by this pool")
        return (height, *(Tile(name, "–", note="not known yet") for name in names))
    part = report.wins_per_hour / report.blocks_per_hour if report.blocks_per_hour else 0.0
    return (
        height,
        Tile(
            "Announcements",
            *with_unit(report.kbps * 1000, "b/s"),
            note=_miners(report.announcement_miner_count, "paid miner"),
        ),
        Tile(
            "Encryptions",
            *with_unit(report.encryptions, "e/s"),
            note=_miners(report.block_miner_count, "paid block miner"),
        ),
        Tile(
            "Blocks of the chain",
            significant(report.blocks_per_hour),
            "an hour",
            "of all miners together",
        ),
        Tile(
            "Found by this pool",
            significant(report.wins_per_hour),
            "an hour",
            f"{percent(min(1.0, part))} of the chain’s blocks",
        ),
    )


def _miners(count: int, name: str) -> str:
    return f"{whole(count)} {name}{'' if count == 1 else 's'}"


def _tip_time(state: PoolState) -> int | None:
    """When the last block came: a handler saw it, or the master did."""
    for block in state.blocks.value or ():
        if block.hash == state.tip:
            return block.time
    return state.tip_seen


def _charts(state: PoolState) -> tuple[Chart, ...]:
    return (
        _rate_chart(
            "announcements",
            "Announcements",
            "b/s",
            [Point(sample.time, 1000 * sample.kbps) for sample in _begun(state.rates)],
        ),
        _rate_chart(
            "encryptions",
            "Encryptions",
            "e/s",
            [Point(sample.time, sample.encryptions) for sample in _begun(state.rates)],
        ),
        _interval_chart(state),
    )


def _begun(samples: Sequence[RateSample]) -> Sequence[RateSample]:
    """The samples without what was before anybody mined here, but for the last of it."""
    working = [i for i, sample in enumerate(samples) if sample.kbps or sample.encryptions]
    return samples[max(0, working[0] - 1) :] if working else samples[-1:]


def _rate_chart(key: str, title: str, unit: str, points: Sequence[Point]) -> Chart:
    if len(points) < 2:
        return Chart(key, title, unit, "Drawn when the pool has run for a minute.", None)
    power, letter = prefix_of(max(point.value for point in points))
    scaled = [Point(point.time, point.value / power) for point in points]
    values = [point.value for point in scaled]
    hours = duration((points[-1].time - points[0].time) / 1000)
    summary = (
        f"{significant(values[-1])} {letter}{unit} now, "
        f"{significant(min(values))} to {significant(max(values))} in {hours}"
    )
    return Chart(key, title, letter + unit, summary, line_chart(scaled))


def _interval_chart(state: PoolState) -> Chart:
    key, title = "intervals", "Time between blocks"
    if not state.lists_blocks:
        return Chart(key, title, "s", "The pool’s paymaker does not list blocks.", None)
    intervals = _intervals(state.blocks.value or ())
    if not intervals:
        return Chart(key, title, "s", "Drawn when two blocks have come.", None)
    mean = sum(point.value for point in intervals) / len(intervals)
    unit, seconds = ("min", 60) if max(point.value for point in intervals) >= 180 else ("s", 1)
    scaled = [Point(point.time, point.value / seconds, point.is_own) for point in intervals]
    summary = f"{duration(mean)} on average of {_count(len(intervals), 'block')}"
    if own := sum(point.is_own for point in intervals):
        summary += f", {whole(own)} found here"
    return Chart(key, title, unit, summary, bar_chart(scaled))


def _count(number: int, name: str) -> str:
    return f"{whole(number)} {name}{'' if number == 1 else 's'}"


def _intervals(blocks: Sequence[ListedBlock]) -> list[Point]:
    """Seconds before each block whose predecessor is known, of the last hours, oldest first."""
    chain = sorted(
        (block.height, block.time, block.finder is not None)
        for block in blocks
        if block.height is not None and not block.is_displaced
    )
    points = [
        Point(time, max(0.0, (time - time_before) / 1000), is_own)
        for (height_before, time_before, _), (height, time, is_own) in pairwise(chain)
        if height == height_before + 1
    ]
    newest = max((point.time for point in points), default=0)
    recent = [point for point in points if point.time > newest - SPAN_MILLISECONDS]
    return sorted(recent, key=lambda point: point.time)[-_CHART_BARS:]


def block_rows(blocks: Sequence[ListedBlock], root: str) -> tuple[BlockRow, ...]:
    """The blocks of these that the pool found."""
    newest = max((block.time for block in blocks), default=0)
    return tuple(
        BlockRow(
            "–" if block.height is None else whole(block.height),
            block.time,
            name_of(block.finder, root),
            block.hash,
            _block_state(block, newest),
        )
        for block in blocks
        if block.finder is not None
    )


def _block_state(block: ListedBlock, newest: int) -> str:
    if block.is_displaced:
        return "displaced: the chain took another block"
    if block.height is None:
        is_recent = block.time > newest - _RECENT
        return "not seen in the chain yet" if is_recent else "never seen in the chain"
    return ""


def _blocks(state: PoolState, root: str) -> BlocksSection:
    if not state.lists_blocks:
        return _last_block_only(state)
    if state.blocks.value is None:
        return BlocksSection((), is_known=False)
    rows = block_rows(state.blocks.value, root)
    more = len(rows) - SHOWN_BLOCKS
    note = f"The newest {SHOWN_BLOCKS} are shown." if more > 0 else ""
    return BlocksSection(rows[:SHOWN_BLOCKS], is_known=True, note=note)


def _last_block_only(state: PoolState) -> BlocksSection:
    """With a paymaker that does not list blocks."""
    report = state.paymaker.value
    if report is None:
        return BlocksSection((), is_known=False)
    note = "The pool’s paymaker tells its last block only."
    if report.last_won is None or report.last_won_time is None:
        return BlocksSection((), is_known=True, note=note)
    row = BlockRow("–", report.last_won_time, None, report.last_won)
    return BlocksSection((row,), is_known=True, note=note)


_TONES: Final = {
    HandlerStatus.OK: "good",
    HandlerStatus.REACHABLE: "good",
    HandlerStatus.STARTING: "warn",
    HandlerStatus.DEGRADED: "warn",
    HandlerStatus.DOWN: "bad",
    HandlerStatus.UNREACHABLE: "bad",
    HandlerStatus.UNKNOWN: "none",
}


def _handler(handler: HandlerState) -> HandlerRow:
    return HandlerRow(
        handler.name,
        handler.kind.value,
        handler.url,
        handler.status.value,
        _TONES[handler.status],
        handler.problems,
        handler.since,
    )
