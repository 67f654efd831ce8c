"""What `packetcrypt power --plot` draws: power by block periods, and by difficulty."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packetcrypt.cli.chart_file import save_chart
from packetcrypt.cli.power_report import PowerReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK: Final = "#24292f"
_FAINT: Final = "#8c959f"
_ANALYSIS: Final = "#4c78a8"
_BEST: Final = "#e45756"
_CHAIN: Final = "#54a24b"


def draw_chart(report: PowerReport, file: Path) -> None:
    """Draw both into `file`. Raises `ConfigError` if it cannot be written."""
    # Not pyplot: that looks for a display, and keeps figures.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), dpi=150, layout="constrained")
    periods, difficulties = figure.subplots(1, 2)
    _draw_periods(periods, report)
    _draw_difficulties(difficulties, report)
    for axes in (periods, difficulties):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_FAINT)
        axes.tick_params(color=_FAINT, labelcolor=_INK)
        axes.set_axisbelow(True)
        axes.grid(axis="y", color=_FAINT, alpha=0.25)
    save_chart(figure, file)


def _draw_periods(axes: "Axes", report: PowerReport) -> None:
    """A bar a number of periods; the best has another colour."""
    from matplotlib.ticker import MaxNLocator

    powers = [float(report.relative_to_one_period(steady)) for steady in report.sets]
    best = powers.index(max(powers))
    colours = [_BEST if place == best else _ANALYSIS for place in range(len(powers))]
    bars = axes.bar([steady.periods for steady in report.sets], powers, color=colours)
    axes.bar_label(bars, [f"{power:.3g}" for power in powers], color=_INK, fontsize=9)
    axes.set_title(
        f"Power by block periods used, difficulty {report.periods_difficulty}",
        color=_INK,
        fontsize=10,
        loc="left",
    )
    axes.set_xlabel("block periods", color=_INK)
    axes.set_ylabel("power, that of one period being 1", color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_difficulties(axes: "Axes", report: PowerReport) -> None:
    """A line by the analysis and one by the chain's rules, both axes logarithmic."""
    analysis = [(choice.difficulty, float(choice.steady.power)) for choice in report.choices]
    chain = [
        (choice.difficulty, float(choice.chain.power))
        for choice in report.choices
        if choice.chain is not None
    ]
    _line(axes, analysis, _ANALYSIS, "analysis", "o")
    _line(axes, chain, _CHAIN, "by the chain's rules", "s")
    best = report.best
    axes.plot(best.difficulty, float(best.steady.power), "o", color=_BEST, markersize=9)
    axes.annotate(
        f"best: {best.difficulty}",
        (best.difficulty, float(best.steady.power)),
        xytext=(8, 6),
        textcoords="offset points",
        color=_INK,
        fontsize=9,
    )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_title("Power by announcement difficulty", color=_INK, fontsize=10, loc="left")
    axes.set_xlabel("announcement difficulty", color=_INK)
    axes.set_ylabel("power", color=_INK)
    axes.legend(frameon=False, labelcolor=_INK)


def _line(
    axes: "Axes", points: Sequence[tuple[int, float]], colour: str, label: str, marker: str
) -> None:
    axes.plot(
        [difficulty for difficulty, _ in points],
        [power for _, power in points],
        marker=marker,
        markersize=5,
        color=colour,
        label=label,
    )
