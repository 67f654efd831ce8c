"""The chart of `packetcrypt bench ann`: real files, drawn by matplotlib."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from packetcrypt.cli.bench_chart import draw_chart
from packetcrypt.engine.benchmark import AnnouncementBenchmark
from packetcrypt.kernels.interface import StageSeconds
from packetcrypt.kernels.tuning import Tuning

FAST = AnnouncementBenchmark(
    device="pthread-AMD EPYC with a name as long as drivers like them",
    index="0:0",
    driver="Portable Computing Language 3.0",
    tuning=Tuning(batch=384, work_items=2),
    tuned=True,
    work_bits=0x2001FFFF,
    seconds=4.0,
    hashes_per_second=300_800.0,
    announcements_per_second=2346.0,
    slices=(295_000.0, 302_000.0, 305_000.0, 301_000.0),
    slices_median=301_500.0,
    slices_lowest=295_000.0,
    slices_highest=305_000.0,
    prepare_seconds=0.07,
    stages=StageSeconds(tables=0.07, search=0.16, finishing=0.002),
    known_answers=True,
    rechecked=4,
)
SLOW = replace(FAST, device="NumPy", index="numpy", hashes_per_second=14e3, slices=(14e3,))
COLOURS = {
    "speed": (0x4C, 0x78, 0xA8),
    "tables": (0xE4, 0x57, 0x56),
    "finishing": (0xEE, 0xCA, 0x3B),
}


def pixels(file: Path, colour: tuple[int, int, int]) -> int:
    """How many pixels of a PNG have exactly this colour."""
    image = np.rint(imread(file)[:, :, :3] * 255)
    return int((image == colour).all(axis=2).sum())


@pytest.mark.parametrize("part", COLOURS)
def test_a_png_shows_every_part(tmp_path: Path, part: str) -> None:
    draw_chart([FAST, SLOW], tmp_path / "chart.png")

    assert pixels(tmp_path / "chart.png", COLOURS[part]) > 100


def test_bars_are_as_long_as_the_speeds(tmp_path: Path) -> None:
    without_stages = replace(FAST, stages=None, slices=(1.0,))
    half = replace(without_stages, hashes_per_second=FAST.hashes_per_second / 2)
    draw_chart([without_stages, without_stages], tmp_path / "two.png")
    draw_chart([without_stages, half], tmp_path / "one and a half.png")

    two = pixels(tmp_path / "two.png", COLOURS["speed"])
    one_and_a_half = pixels(tmp_path / "one and a half.png", COLOURS["speed"])

    assert one_and_a_half / two == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(("name", "begin"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_other_formats(tmp_path: Path, name: str, begin: bytes) -> None:
    draw_chart([FAST], tmp_path / name)

    assert (tmp_path / name).read_bytes().startswith(begin)
