"""Where the lines, bars and labels of the page's charts are: geometry only, without colours.

A drawing is 360 × 180 units and about as many pixels wide, on a phone and beside others on a desk,
so that its letters can be read on both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from packetcrypt.pool.page_text import clock

WIDTH: Final = 360
HEIGHT: Final = 180
LEFT: Final = 44
RIGHT: Final = 350
TOP: Final = 12
BOTTOM: Final = 150

#: Less than this is drawn as nothing: no rate is so small, and dividing on would end in zeros.
_LEAST: Final = 1e-9

_MINUTE: Final = 60_000
_TIME_STEPS: Final = tuple(
    minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
)
_TIME_TICKS: Final = 4
_SHORTEST: Final = 10 * _MINUTE
"""a chart of a pool that has just begun is not stretched further"""
_GAP: Final = 15 * _MINUTE
"""nothing is drawn between samples so far apart: nobody measured"""


@dataclass(frozen=True)
class Point:
    """A value of one moment, milliseconds since 1970; `is_own`: of this pool."""

    time: int
    value: float
    is_own: bool = False


@dataclass(frozen=True)
class Tick:
    """A line of the grid: where, and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A bar from the ground up."""

    x: float
    y: float
    is_own: bool


@dataclass(frozen=True)
class Drawing:
    """One chart.

    line, area : SVG paths; "" where there is nothing to join
    dots       : samples that stand alone
    """

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    line: str = ""
    area: str = ""
    dots: tuple[tuple[float, float], ...] = ()
    bars: tuple[Bar, ...] = ()


class _Plane:
    """Turns times and values into places."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.end = max(point.time for point in points)
        self.begin = min(*(point.time for point in points), self.end - _SHORTEST)
        self.step = _round_step(max(point.value for point in points))
        count = 1
        while count * self.step < max(point.value for point in points):
            count += 1
        self.top = count * self.step

    def x(self, time: float) -> float:
        part = (time - self.begin) / (self.end - self.begin)
        return round(LEFT + part * (RIGHT - LEFT), 1)

    def y(self, value: float) -> float:
        return round(BOTTOM - value / self.top * (BOTTOM - TOP), 1)

    def x_ticks(self) -> tuple[Tick, ...]:
        span = self.end - self.begin
        step = next((s for s in _TIME_STEPS if span / s <= _TIME_TICKS), _TIME_STEPS[-1])
        first = -(-self.begin // step) * step
        ticks = [Tick(self.x(time), clock(time)) for time in range(first, self.end + 1, step)]
        # A label is about 30 wide and must not leave the drawing.
        return tuple(tick for tick in ticks if LEFT + 8 <= tick.at <= RIGHT - 6)

    def y_ticks(self) -> tuple[Tick, ...]:
        count = round(self.top / self.step)
        return tuple(
            Tick(self.y(number * self.step), f"{number * self.step:.6g}")
            for number in range(count + 1)
        )


def line_chart(points: Sequence[Point]) -> Drawing:
    """A line through points, oldest first, at least one; it breaks where some are missing."""
    plane = _Plane(points)
    places = [(plane.x(point.time), plane.y(point.value)) for point in points]
    runs: list[list[tuple[float, float]]] = [[places[0]]]
    for (before, point), place in zip(pairwise(points), places[1:], strict=True):
        if point.time - before.time > _GAP:
            runs.append([])
        if not runs[-1] or place[0] - runs[-1][-1][0] >= 1:  # one point a pixel is enough
            runs[-1].append(place)
    joined = [run for run in runs if len(run) > 1]
    return Drawing(
        plane.x_ticks(),
        plane.y_ticks(),
        line="".join(_path(run) for run in joined),
        area="".join(f"{_path(run)}V{BOTTOM}H{run[0][0]:g}Z" for run in joined),
        dots=tuple(run[0] for run in runs if len(run) == 1),
    )


def bar_chart(points: Sequence[Point]) -> Drawing:
    """A bar for each point, at least one."""
    plane = _Plane(points)
    bars = tuple(Bar(plane.x(point.time), plane.y(point.value), point.is_own) for point in points)
    return Drawing(plane.x_ticks(), plane.y_ticks(), bars=bars)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)


def _round_step(largest: float) -> float:
    """A step of 1, 2 or 5 times a power of ten, of which 3 to 5 reach the largest value."""
    if largest < _LEAST:
        return 1.0
    power = 1.0
    while power * 10 <= largest:
        power *= 10
    while power > largest:
        power /= 10
    return next(f * power for f in (0.2, 0.5, 1.0, 2.0) if largest <= 5 * f * power)
