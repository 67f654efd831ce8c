"""The chart of `packetcrypt power`: real files, drawn by matplotlib."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from packetcrypt.cli.power_chart import draw_chart
from packetcrypt.cli.power_report import PowerReport

COLOURS = {
    "analysis": (0x4C, 0x78, 0xA8),
    "best": (0xE4, 0x57, 0x56),
    "chain": (0x54, 0xA2, 0x4B),
}


def pixels(file: Path, colour: tuple[int, int, int]) -> int:
    """How many pixels of a PNG have exactly this colour."""
    image = np.rint(imread(file)[:, :, :3] * 255)
    return int((image == colour).all(axis=2).sum())


def report(periods_difficulty: int = 128, supply: int = 1000) -> PowerReport:
    return PowerReport.of(
        Fraction(supply), Fraction(60), [1, 2, 4, 8, 16], periods_difficulty, None
    )


@pytest.mark.parametrize("part", COLOURS)
def test_a_png_shows_every_part(tmp_path: Path, part: str) -> None:
    draw_chart(report(), tmp_path / "chart.png")

    assert pixels(tmp_path / "chart.png", COLOURS[part]) > 500


def test_bars_are_as_long_as_the_powers(tmp_path: Path) -> None:
    # At 2 the last two periods give twice the power of one, at 1 there is only one.
    draw_chart(report(2), tmp_path / "two.png")
    draw_chart(report(1), tmp_path / "one.png")

    lines = pixels(tmp_path / "one.png", COLOURS["analysis"])  # the only bar is the best
    one = pixels(tmp_path / "two.png", COLOURS["analysis"]) - lines
    two = pixels(tmp_path / "two.png", COLOURS["best"])

    assert two / one == pytest.approx(2, abs=0.1)


def test_a_supply_too_small_for_the_chain_has_no_line_for_it(tmp_path: Path) -> None:
    draw_chart(report(supply=1), tmp_path / "chart.png")

    assert pixels(tmp_path / "chart.png", COLOURS["analysis"]) > 500
    # What is left is its entry in the legend.
    assert pixels(tmp_path / "chart.png", COLOURS["chain"]) < 500
