"""What `packetcrypt power` reports: the supply, the sets by block periods, and each difficulty."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.power import (
    ChainSet,
    DifficultyChoice,
    SteadySet,
    best_choice,
    best_choice_on_chain,
    choices_by_difficulty,
    sets_by_periods,
)

Row = tuple[str, ...]

_PERIODS_HEAD: Final = (
    ("", "", "least", "", "of one"),
    ("periods", "announcements", "difficulty", "power", "period's"),
)
_HEAD: Final = (
    ("", "", "announcements", "", "", "least", "", "of", "chain's", "chain's", "of"),
    (
        *("difficulty", "ann_target", "a block", "Mb/s"),
        *("periods", "difficulty", "power", "best"),
        *("periods", "power", "best"),
    ),
)
_HASHES_HEAD: Final = ("hashes", "a block")


@dataclass(frozen=True)
class PowerReport:
    """One supply, looked at.

    encryptions   : hashes of all announcement miners in a block period
    block_seconds : how long a period is
    block_bits    : compact target of a block; None if it was not given
    """

    encryptions: Fraction
    block_seconds: Fraction
    block_bits: int | None
    periods_difficulty: int
    sets: tuple[SteadySet, ...]
    choices: tuple[DifficultyChoice, ...]

    @classmethod
    def of(
        cls,
        encryptions: Fraction,
        block_seconds: Fraction,
        difficulties: Sequence[int],
        periods_difficulty: int,
        block_bits: int | None,
    ) -> "PowerReport":
        """Compute it."""
        return cls(
            encryptions=encryptions,
            block_seconds=block_seconds,
            block_bits=block_bits,
            periods_difficulty=periods_difficulty,
            sets=sets_by_periods(periods_difficulty, encryptions),
            choices=choices_by_difficulty(difficulties, encryptions),
        )

    @property
    def best(self) -> DifficultyChoice:
        """By the analysis."""
        return best_choice(self.choices)

    @property
    def best_on_chain(self) -> DifficultyChoice | None:
        """By the chain's rules."""
        return best_choice_on_chain(self.choices)

    def relative_to_one_period(self, steady: SteadySet) -> Fraction:
        """Power of a set of `sets` to that of the last period alone."""
        return steady.power / self.sets[0].power

    def relative(self, choice: DifficultyChoice) -> Fraction:
        """Power to that of the best difficulty, by the analysis."""
        return choice.steady.power / self.best.steady.power

    def relative_on_chain(self, chain: ChainSet) -> float:
        """Power to that of the best difficulty, by the chain's rules."""
        best = self.best_on_chain
        assert best is not None
        assert best.chain is not None
        return chain.power / best.chain.power

    def megabits_per_second(self, choice: DifficultyChoice) -> float:
        """What all miners together upload, announcements alone."""
        return float(choice.announcements * ANNOUNCEMENT_SIZE * 8 / self.block_seconds / 1_000_000)


def as_json(report: PowerReport) -> dict[str, Any]:
    """The report for programs."""
    best_on_chain = report.best_on_chain
    return {
        "encryptions_per_block": _plain(report.encryptions),
        "block_seconds": _plain(report.block_seconds),
        "by_periods": {
            "difficulty": report.periods_difficulty,
            "sets": [
                {**_set_json(steady), "relative": _plain(report.relative_to_one_period(steady))}
                for steady in report.sets
            ],
        },
        "by_difficulty": [_choice_json(report, choice) for choice in report.choices],
        "best": report.best.difficulty,
        "best_on_chain": None if best_on_chain is None else best_on_chain.difficulty,
    }


def _set_json(steady: SteadySet) -> dict[str, Any]:
    return {
        "periods": steady.periods,
        "announcements": _plain(steady.announcements),
        "least_difficulty": _plain(steady.least_difficulty),
        "power": _plain(steady.power),
    }


def _choice_json(report: PowerReport, choice: DifficultyChoice) -> dict[str, Any]:
    return {
        "difficulty": choice.difficulty,
        "ann_target": choice.work_bits,
        "announcements_per_block": _plain(choice.announcements),
        "megabits_per_second": report.megabits_per_second(choice),
        **_set_json(choice.steady),
        "relative": _plain(report.relative(choice)),
        "chain": None if choice.chain is None else _chain_json(report, choice.chain),
    }


def _chain_json(report: PowerReport, chain: ChainSet) -> dict[str, Any]:
    fields = {
        "periods": chain.periods,
        "announcements": chain.announcements,
        "max_target": chain.max_target,
        "power": chain.power,
        "relative": report.relative_on_chain(chain),
    }
    if report.block_bits is not None:
        fields["hashes_for_block"] = chain.hashes_for_block(report.block_bits)
    return fields


def _plain(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def as_text(report: PowerReport) -> str:
    """The report for people."""
    best, on_chain = report.best, report.best_on_chain
    best_set = max(report.sets, key=lambda steady: steady.power)
    lines = [
        f"{_number(report.encryptions)} encryptions a block, "
        f"a block every {_number(report.block_seconds)} s",
        "",
        f"At difficulty {report.periods_difficulty}, by the block periods that are used:",
        *_table([*_PERIODS_HEAD, *(_periods_row(report, steady) for steady in report.sets)]),
        f"Best: the last {best_set.periods}.",
        "",
        "By difficulty of announcements, each with its best number of periods:",
        *_table([*_head(report), *(_row(report, choice) for choice in report.choices)]),
        f"Best: difficulty {best.difficulty}, power {_number(best.steady.power)}.",
    ]
    if on_chain is None or on_chain.work_bits is None:
        return "\n".join([*lines, "By the chain's rules no set can be made of these."])
    lines.append(
        f"Best by the chain's rules: difficulty {on_chain.difficulty}, "
        f"ann_target = {on_chain.work_bits:#x}."
    )
    return "\n".join(lines)


def _periods_row(report: PowerReport, steady: SteadySet) -> Row:
    return (
        str(steady.periods),
        _number(steady.announcements),
        _number(steady.least_difficulty),
        _number(steady.power),
        f"{float(report.relative_to_one_period(steady)):.3g}",
    )


def _head(report: PowerReport) -> tuple[Row, ...]:
    if report.block_bits is None:
        return _HEAD
    return tuple((*row, cell) for row, cell in zip(_HEAD, _HASHES_HEAD, strict=True))


def _row(report: PowerReport, choice: DifficultyChoice) -> Row:
    return (
        str(choice.difficulty),
        "-" if choice.work_bits is None else f"{choice.work_bits:#x}",
        _number(choice.announcements),
        f"{report.megabits_per_second(choice):.3g}",
        str(choice.steady.periods),
        _number(choice.steady.least_difficulty),
        _number(choice.steady.power),
        _percent(float(report.relative(choice))),
        *_chain_columns(report, choice.chain),
    )


def _chain_columns(report: PowerReport, chain: ChainSet | None) -> Row:
    if chain is None:
        return ("-",) * (3 if report.block_bits is None else 4)
    columns = (
        str(chain.periods),
        _number(chain.power),
        _percent(report.relative_on_chain(chain)),
    )
    if report.block_bits is None:
        return columns
    return (*columns, _number(chain.hashes_for_block(report.block_bits)))


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %"


def _number(value: Fraction | int) -> str:
    """Whole numbers as they are, small fractions with three digits, too long ones as powers."""
    if value >= 10**15:
        return f"{float(value):.4g}"
    if value >= 100 or value == int(value):
        return f"{round(value):,}"
    return f"{float(value):.3g}"


def _table(rows: Sequence[Row]) -> list[str]:
    """Columns as wide as their widest cell, right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
