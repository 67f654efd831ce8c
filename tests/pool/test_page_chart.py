"""Where lines, bars and labels of the charts are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.page_chart import BOTTOM, LEFT, RIGHT, TOP, Point, bar_chart, line_chart

MINUTE = 60_000
TEN = 1_700_000_400_000 // (10 * MINUTE) * 10 * MINUTE
"""a full ten minutes"""


def test_a_line_from_left_to_right() -> None:
    drawing = line_chart([Point(TEN, 0.0), Point(TEN + 10 * MINUTE, 10.0)])
    assert drawing.line == f"M{LEFT} {BOTTOM}L{RIGHT} {TOP}"
    assert drawing.area == drawing.line + f"V{BOTTOM}H{LEFT}Z"
    assert [tick.label for tick in drawing.y_ticks] == ["0", "2", "4", "6", "8", "10"]
    assert drawing.y_ticks[0].at == BOTTOM


def test_times_are_round() -> None:
    drawing = line_chart([Point(TEN + 90_000, 1.0), Point(TEN + 31 * MINUTE, 1.0)])
    assert [tick.label[-1] for tick in drawing.x_ticks] == ["0"] * len(drawing.x_ticks)
    assert 2 <= len(drawing.x_ticks) <= 4


def test_a_line_breaks_where_nobody_measured() -> None:
    times = [0, 5, 10, 60, 65, 120]
    drawing = line_chart([Point(TEN + minutes * MINUTE, 1.0) for minutes in times])
    assert drawing.line.count("M") == drawing.area.count("Z") == 2
    assert len(drawing.dots) == 1


def test_many_samples_are_one_a_pixel() -> None:
    drawing = line_chart([Point(TEN + 1000 * i, float(i % 7)) for i in range(20_000)])
    assert drawing.line.count("L") <= RIGHT - LEFT


def test_bars_of_the_pool() -> None:
    drawing = bar_chart([Point(TEN, 1.0), Point(TEN + 20 * MINUTE, 4.0, is_own=True)])
    assert [bar.is_own for bar in drawing.bars] == [False, True]
    assert (drawing.bars[1].x, drawing.bars[1].y) == (RIGHT, TOP)


@pytest.mark.parametrize("draw", [line_chart, bar_chart])
def test_one_point_of_nothing(draw: object) -> None:
    drawing = draw([Point(TEN, 0.0)])  # type: ignore[operator]
    assert drawing.y_ticks[0].label == "0"
    assert drawing.dots or drawing.bars


@given(st.lists(st.floats(0, 1e15), min_size=1, max_size=30))
def test_nothing_leaves_the_drawing(values: list[float]) -> None:
    points = [Point(TEN + i * MINUTE, value) for i, value in enumerate(values)]
    line, bars = line_chart(points), bar_chart(points)
    places = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", line.line)]
    places += line.dots
    places += [(bar.x, bar.y) for bar in bars.bars]
    assert places
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in places)
    assert 2 <= len(line.y_ticks) <= 6
    assert len({tick.label for tick in line.y_ticks}) == len(line.y_ticks)
