"""What `packetcrypt bench ann --plot` draws: speed and its spread, and where a job's time goes."""

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packetcrypt.cli.chart_file import save_chart
from packetcrypt.engine.benchmark import AnnouncementBenchmark
from packetcrypt.kernels.interface import StageSeconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK: Final = "#24292f"
_FAINT: Final = "#8c959f"
_BAR: Final = "#4c78a8"
_BAR_HEIGHT: Final = 0.42
_STAGES: Final = {"tables": "#e45756", "search": "#4c78a8", "finishing": "#eeca3b"}


def draw_chart(results: Sequence[AnnouncementBenchmark], file: Path) -> None:
    """Draw one row a device into `file`. Raises `ConfigError` if it cannot be written."""
    # Not pyplot: that looks for a display, and keeps figures.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1.9 + 0.8 * len(results)), dpi=150, layout="constrained")
    speed, stages = figure.subplots(1, 2, sharey=True, width_ratios=(5, 4))
    figure.suptitle(
        f"packetcrypt bench ann, work bits {results[0].work_bits:08x}",
        color=_INK,
        fontsize=12,
        fontweight="bold",
        x=0.01,
        ha="left",
    )
    _draw_speed(speed, results)
    _draw_stages(stages, results)
    for axes in (speed, stages):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(_FAINT)
        axes.tick_params(axis="y", length=0, labelcolor=_INK)
        axes.tick_params(axis="x", color=_FAINT, labelcolor=_INK)
        axes.set_axisbelow(True)
        axes.grid(axis="x", color=_FAINT, alpha=0.25)
    handles, labels = stages.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=3, frameon=False, labelcolor=_INK)
    save_chart(figure, file)


def _draw_speed(axes: "Axes", results: Sequence[AnnouncementBenchmark]) -> None:
    """A bar a device, and a dot for every slice of the time."""
    for row, result in enumerate(results):
        axes.barh(row, result.hashes_per_second / 1000, _BAR_HEIGHT, color=_BAR)
        speeds = [speed / 1000 for speed in result.slices]
        dots = axes.plot(speeds, [row] * len(speeds), "o", color="white", markersize=4)
        dots[0].set(markeredgecolor=_INK, markeredgewidth=0.8, alpha=0.85)
        _label(
            axes,
            row,
            f"{result.hashes_per_second / 1000:,.1f} thousand hashes/s, "
            f"{result.announcements_per_second:,.0f} announcements/s",
        )
    axes.set_yticks(range(len(results)), [_short(result) for result in results])
    axes.set_ylim(len(results) - 0.6, -0.65)
    axes.set_xlim(left=0)
    axes.set_title("Speed; a dot for each slice of the time", color=_INK, fontsize=10, loc="left")
    axes.set_xlabel("thousand hashes a second", color=_INK)


def _draw_stages(axes: "Axes", results: Sequence[AnnouncementBenchmark]) -> None:
    """Shares of a job's device time: devices differ too much for a common scale of seconds."""
    stages = [result.stages for result in results]
    totals = [0.0 if seconds is None else sum(astuple(seconds)) for seconds in stages]
    left = [0.0] * len(results)
    for stage, colour in _STAGES.items():
        widths = [
            100 * getattr(seconds, stage) / total if total else 0.0
            for seconds, total in zip(stages, totals, strict=True)
        ]
        axes.barh(range(len(results)), widths, _BAR_HEIGHT, left=left, color=colour, label=stage)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for row, (seconds, total) in enumerate(zip(stages, totals, strict=True)):
        parts = "not measured" if seconds is None else _milliseconds(seconds, total)
        _label(axes, row, parts)
    axes.set_xlim(0, 100)
    axes.set_title("Where a job's time goes", color=_INK, fontsize=10, loc="left")
    axes.set_xlabel("% of the device's time", color=_INK)


def _label(axes: "Axes", row: int, text: str) -> None:
    """Write above the bar of a row."""
    axes.annotate(text, (0, row - _BAR_HEIGHT / 2 - 0.05), color=_INK, fontsize=9, va="bottom")


def _milliseconds(stages: StageSeconds, total: float) -> str:
    single = " + ".join(f"{1000 * seconds:,.1f}" for seconds in astuple(stages))
    return f"{single} = {1000 * total:,.1f} ms"


def _short(result: AnnouncementBenchmark) -> str:
    name = result.device if len(result.device) <= 28 else result.device[:27] + "…"
    return f"{name}\n{result.index}, tuned" if result.tuned else f"{name}\n{result.index}"
