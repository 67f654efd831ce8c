"""How powerful a pool is, by the difficulty of its announcements (spec 2, last section).

The power of a set of announcements is its least effective difficulty × its size². This file has
two views of one steady supply: miners who compute `encryptions` hashes in a block period find
encryptions ÷ difficulty announcements in it, all of them are there when they become usable (at age
3, spec 1 §1), and each block period of age halves what they are worth.

- *The analysis* (`sets_by_periods`, `best_steady_set`) has exact fractions, of announcements too,
  and lets announcements serve until they are worth less than 1. Its figures are those of spec 2:
  the last three block periods are best, 2.25 times as good as the last one alone, and 1000
  announcements a block at difficulty 1 give a power of 1 000 000; as much at difficulty 2, where
  500 a block serve for two periods; 562 500 at 4, and half for each doubling from there on.
- *The chain* (`best_chain_set`) has whole announcements, compact targets, and the rules by which
  blocks are checked. The easiest compact target has difficulty 2. So there are no announcements of
  difficulty 1, those of 2 serve for one period instead of two, those of 4 for two instead of three:
  2 and 4 have half the power that the analysis has at 1 and 2. From 8 on both views agree but for
  rounding.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from packetcrypt.protocol.difficulty import (
    UNUSABLE,
    degrade,
    effective_target,
    min_ann_target_ok,
    target_of_work,
    target_to_compact,
    work_of_compact,
)
from packetcrypt.protocol.set_selection import AnnouncementClass, best_set

_FIRST_AGE, _LAST_AGE = 3, 259
"""The ages at which announcements may be used, see `degrade`."""
_LEAST_USEFUL = 1
"""The analysis uses announcements that are worth so much, or more."""


@dataclass(frozen=True)
class SteadySet:
    """The announcements of the last block periods, as the analysis counts them.

    periods          : how many block periods
    announcements    : of all of them together
    least_difficulty : the effective difficulty of the oldest
    """

    periods: int
    announcements: Fraction
    least_difficulty: Fraction

    @property
    def power(self) -> Fraction:
        """What multiplies the worth of a hash."""
        return self.least_difficulty * self.announcements**2


@dataclass(frozen=True)
class ChainSet:
    """The announcements of the last block periods, as the check of a block counts them.

    max_target : the largest degraded compact target among them, which a block commits to
    """

    periods: int
    announcements: int
    max_target: int

    @property
    def power(self) -> int:
        """What multiplies the worth of a hash, without the protocol's division by 1024."""
        return work_of_compact(self.max_target) * self.announcements**2

    def hashes_for_block(self, block_bits: int) -> int:
        """How many hashes a block takes on average. block_bits : its compact target"""
        return work_of_compact(effective_target(block_bits, self.max_target, self.announcements))


@dataclass(frozen=True)
class DifficultyChoice:
    """What one announcement difficulty makes of a supply.

    work_bits     : its compact target; None if announcements cannot have it
    announcements : found in a block period
    steady        : the best set, by the analysis
    chain         : the best set, by the chain's rules; None if there is none
    """

    difficulty: int
    work_bits: int | None
    announcements: Fraction
    steady: SteadySet
    chain: ChainSet | None


def sets_by_periods(difficulty: int, encryptions: Fraction) -> tuple[SteadySet, ...]:
    """The sets that could be used: the last period, the last two, and so on.

    difficulty  : of announcements when they are found, 1 or more
    encryptions : hashes that all announcement miners compute in a block period
    """
    found = encryptions / difficulty
    sets = []
    for periods in range(1, _LAST_AGE - _FIRST_AGE + 2):
        least = Fraction(difficulty, 2 ** (periods - 1))
        if least < _LEAST_USEFUL:
            break
        sets.append(SteadySet(periods, periods * found, least))
    return tuple(sets)


def best_steady_set(difficulty: int, encryptions: Fraction) -> SteadySet:
    """The most powerful of `sets_by_periods`."""
    return max(sets_by_periods(difficulty, encryptions), key=lambda steady: steady.power)


def work_bits_of(difficulty: int) -> int | None:
    """The compact target of a difficulty; None if announcements cannot have it."""
    compact = target_to_compact(target_of_work(difficulty))
    return compact if min_ann_target_ok(compact) else None


def best_chain_set(work_bits: int, encryptions: Fraction) -> ChainSet | None:
    """The best set by the chain's rules; None if nobody finds a whole announcement in a period.

    work_bits : compact target of announcements, for which `min_ann_target_ok` holds
    """
    found = encryptions // work_of_compact(work_bits)
    ages = range(_FIRST_AGE, _LAST_AGE + 1)
    usable = [age for age in ages if degrade(work_bits, age) != UNUSABLE]
    height = _LAST_AGE + 1
    chosen = best_set((AnnouncementClass(height - age, work_bits, found) for age in usable), height)
    if chosen is None:
        return None
    return ChainSet(len(chosen.classes), chosen.count, chosen.max_target)


def choices_by_difficulty(
    difficulties: Iterable[int], encryptions: Fraction
) -> tuple[DifficultyChoice, ...]:
    """What each difficulty makes of a supply, in the order given."""
    choices = []
    for difficulty in difficulties:
        work_bits = work_bits_of(difficulty)
        choices.append(
            DifficultyChoice(
                difficulty=difficulty,
                work_bits=work_bits,
                announcements=encryptions / difficulty,
                steady=best_steady_set(difficulty, encryptions),
                chain=None if work_bits is None else best_chain_set(work_bits, encryptions),
            )
        )
    return tuple(choices)


def best_choice(choices: Iterable[DifficultyChoice]) -> DifficultyChoice:
    """The most powerful by the analysis; of equals the hardest, which moves the least about."""
    return max(choices, key=lambda choice: (choice.steady.power, choice.difficulty))


def best_choice_on_chain(choices: Iterable[DifficultyChoice]) -> DifficultyChoice | None:
    """The most powerful by the chain's rules, likewise; None if none of them has a set."""
    return max(
        (choice for choice in choices if choice.chain is not None),
        key=lambda choice: (choice.chain.power if choice.chain else 0, choice.difficulty),
        default=None,
    )
