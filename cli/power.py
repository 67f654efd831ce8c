"""`packetcrypt power`: which announcement difficulty makes a pool most powerful."""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Final

import click

from packetcrypt.cli.power_report import PowerReport, as_json, as_text
from packetcrypt.protocol.difficulty import min_ann_target_ok

_DIFFICULTIES: Final = tuple(2**n for n in range(11))
_DIFFICULTY: Final = click.IntRange(1, 1 << 48)
_LARGEST: Final = 1e18
"""More than all computers together hash in a second."""


def _positive(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Fraction | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    # Looked at as a float first: the fraction 1e999999999 would fill the memory.
    if not 1 / _LARGEST <= number <= _LARGEST:
        raise click.BadParameter(f"{value!r} cannot be; give a number above 0, e.g. 1000 or 2.5e6")
    return Fraction(value)


def _compact(_ctx: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        compact = int(value, 16)
    except ValueError:
        compact = 0
    if not min_ann_target_ok(compact):
        raise click.BadParameter(
            f"{value!r} is no compact target of a block; give its bits, e.g. 1c0fffff"
        )
    return compact


@click.command(name="power")
@click.option(
    "--supply",
    metavar="N",
    callback=_positive,
    help="Announcements that all miners together find in a block period.  [default: 1000]",
)
@click.option(
    "--at-difficulty",
    metavar="D",
    type=_DIFFICULTY,
    default=1,
    show_default=True,
    help="Difficulty at which they find as many as --supply says.",
)
@click.option(
    "--encryptions",
    metavar="E",
    callback=_positive,
    help="Instead of --supply: hashes a second of all miners together, 467e3 for 467 Ke/s.",
)
@click.option(
    "--block-seconds",
    metavar="S",
    callback=_positive,
    default="60",
    show_default=True,
    help="Seconds from one block to the next.",
)
@click.option(
    "--difficulty",
    "difficulties",
    metavar="D",
    type=_DIFFICULTY,
    multiple=True,
    help="Announcement difficulty to look at; repeatable.  [default: 1, 2, 4 … 1024]",
)
@click.option(
    "--periods-at",
    metavar="D",
    type=_DIFFICULTY,
    default=128,
    show_default=True,
    help="Difficulty for which the numbers of block periods are compared.",
)
@click.option(
    "--block-bits",
    metavar="HEX",
    callback=_compact,
    help="A block's compact target, to say how many hashes a block takes.",
)
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.option(
    "--plot",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw charts into FILE: .png, .svg or .pdf. Needs packetcrypt-engine[plot].",
)
def command(
    supply: Fraction | None,
    at_difficulty: int,
    encryptions: Fraction | None,
    block_seconds: Fraction,
    difficulties: tuple[int, ...],
    periods_at: int,
    block_bits: int | None,
    as_object: bool,
    plot: Path | None,
) -> None:
    """Say which announcement difficulty makes a pool most powerful.

    The power of a set of announcements is its least effective difficulty times its size squared.
    For a steady supply this compares how many block periods of announcements are best used, and
    what each difficulty (ann_target in pool.toml) is worth.
    """
    if supply is not None and encryptions is not None:
        raise click.UsageError("--supply and --encryptions say the same: give one of them")
    if plot is not None:
        # Imported late: it loads matplotlib. Here already, so that a mistake is told first.
        from packetcrypt.cli.chart_file import check_chart_file
        from packetcrypt.cli.power_chart import draw_chart

        check_chart_file(plot)
    if encryptions is None:
        per_block = Fraction(1000 if supply is None else supply) * at_difficulty
    else:
        per_block = encryptions * block_seconds
    report = PowerReport.of(
        encryptions=per_block,
        block_seconds=block_seconds,
        difficulties=sorted(set(difficulties or _DIFFICULTIES)),
        periods_difficulty=periods_at,
        block_bits=block_bits,
    )
    click.echo(json.dumps(as_json(report)) if as_object else as_text(report))
    if plot is not None:
        draw_chart(report, plot)
