"""Power by difficulty: the figures of spec 2's analysis, and what the chain's rules make of it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.difficulty import MAX_COMPACT, degrade, effective_target, work_of_compact
from packetcrypt.protocol.power import (
    ChainSet,
    DifficultyChoice,
    best_chain_set,
    best_choice,
    best_choice_on_chain,
    best_steady_set,
    choices_by_difficulty,
    sets_by_periods,
    work_bits_of,
)

POWERS_OF_TWO = [2**n for n in range(20)]
difficulties = st.integers(1, 1 << 40)
supplies = st.fractions(Fraction(1, 1000), 10**15, max_denominator=1000)


def power_by_difficulty(difficulty: int) -> Fraction:
    """Of miners who find 1000 announcements a block at difficulty 1, as spec 2 has them."""
    return best_steady_set(difficulty, Fraction(1000)).power


# The figures of spec 2.


@pytest.mark.parametrize(
    ("periods", "announcements", "least_difficulty"),
    [(1, 1000, 128), (2, 2000, 64), (3, 3000, 32), (4, 4000, 16), (8, 8000, 1)],
)
def test_a_thousand_announcements_a_block_at_128(
    periods: int, announcements: int, least_difficulty: int
) -> None:
    sets = sets_by_periods(128, Fraction(128_000))

    assert len(sets) == 8
    chosen = sets[periods - 1]
    assert (chosen.periods, chosen.announcements, chosen.least_difficulty) == (
        periods,
        announcements,
        least_difficulty,
    )
    assert chosen.power == least_difficulty * announcements**2


def test_the_last_three_periods_are_best() -> None:
    first, *_ = sets_by_periods(128, Fraction(128_000))
    best = best_steady_set(128, Fraction(128_000))

    assert best.periods == 3
    assert best.power / first.power == Fraction(9, 4)


@pytest.mark.parametrize(
    ("difficulty", "periods", "power"),
    [(1, 1, 1_000_000), (2, 2, 1_000_000), (4, 3, 562_500), (8, 3, 281_250), (16, 3, 140_625)],
)
def test_power_by_difficulty(difficulty: int, periods: int, power: int) -> None:
    best = best_steady_set(difficulty, Fraction(1000))

    assert (best.periods, best.power) == (periods, power)


@pytest.mark.parametrize("difficulty", POWERS_OF_TWO[2:])
def test_from_4_on_each_doubling_halves_power(difficulty: int) -> None:
    assert power_by_difficulty(2 * difficulty) * 2 == power_by_difficulty(difficulty)


def test_the_best_difficulty_is_2() -> None:
    choices = choices_by_difficulty(range(1, 1025), Fraction(1000))

    assert best_choice(choices).difficulty == 2


# What the chain's rules make of it.


@pytest.mark.parametrize(
    ("difficulty", "work_bits"),
    [(1, None), (2, MAX_COMPACT), (4, 0x203FFFFF), (128, 0x2001FFFF), (1 << 256, None)],
)
def test_work_bits_of_a_difficulty(difficulty: int, work_bits: int | None) -> None:
    assert work_bits_of(difficulty) == work_bits


@pytest.mark.parametrize(
    ("difficulty", "expected", "power"),
    [
        (2, ChainSet(1, 500, 0x207FFFFF), 500_000),
        (4, ChainSet(2, 500, 0x207FFFFE), 500_000),
        (8, ChainSet(3, 375, 0x207FFFFC), 281_250),
        (16, ChainSet(3, 186, 0x203FFFFC), 138_384),
    ],
)
def test_the_easiest_target_of_the_chain_has_difficulty_2(
    difficulty: int, expected: ChainSet, power: int
) -> None:
    work_bits = work_bits_of(difficulty)
    assert work_bits is not None
    chosen = best_chain_set(work_bits, Fraction(1000))

    assert chosen == expected
    assert chosen.power == power


def test_on_the_chain_2_and_4_are_equal_and_4_moves_less_about() -> None:
    best = best_choice_on_chain(choices_by_difficulty(range(1, 1025), Fraction(1000)))

    assert best is not None
    assert best.difficulty == 4


@pytest.mark.parametrize("difficulty", POWERS_OF_TWO[3:])
def test_from_8_on_chain_and_analysis_agree_but_for_rounding(difficulty: int) -> None:
    (choice,) = choices_by_difficulty([difficulty], Fraction(1000 * difficulty))

    assert choice.chain is not None
    # Above 2^15 compact targets are truncated, and a thousandth announcement may be missing.
    exact = difficulty < 1 << 16
    tolerance = 0 if exact else Fraction(3, 1000)
    assert abs(choice.chain.power / choice.steady.power - 1) <= tolerance
    assert choice.chain.periods == choice.steady.periods == 3


def test_without_a_whole_announcement_a_period_there_is_no_set() -> None:
    choices = choices_by_difficulty([1, 2048], Fraction(2047))

    assert [choice.chain for choice in choices] == [None, None]
    assert best_choice_on_chain(choices) is None
    assert choices[1].announcements == Fraction(2047, 2048)


def test_hashes_for_a_block() -> None:
    chosen = ChainSet(periods=3, announcements=3000, max_target=0x2007FFFC)

    work = work_of_compact(0x1C00FFFF) ** 3 // 1024 // 32 // 3000**2
    target = effective_target(0x1C00FFFF, 0x2007FFFC, 3000)
    assert chosen.hashes_for_block(0x1C00FFFF) == work_of_compact(target)
    # A compact target has at least 15 significant bits.
    assert chosen.hashes_for_block(0x1C00FFFF) == pytest.approx(work, rel=2**-14)


# Properties.


@given(difficulties, supplies)
def test_the_best_set_is_never_older_than_three_periods(
    difficulty: int, encryptions: Fraction
) -> None:
    best = best_steady_set(difficulty, encryptions)

    assert best.periods == min(3, difficulty.bit_length())
    assert best.power == max(steady.power for steady in sets_by_periods(difficulty, encryptions))


@given(difficulties, supplies, st.integers(1, 1000))
def test_power_goes_with_the_square_of_the_supply(
    difficulty: int, encryptions: Fraction, factor: int
) -> None:
    one = best_steady_set(difficulty, encryptions)
    more = best_steady_set(difficulty, factor * encryptions)

    assert more.periods == one.periods
    assert more.power == factor**2 * one.power


@given(st.integers(2, 1 << 40), supplies)
def test_chain_sets_are_ones_that_a_block_may_have(difficulty: int, encryptions: Fraction) -> None:
    (choice,) = choices_by_difficulty([difficulty], encryptions)

    assert choice.work_bits is not None
    if choice.chain is None:
        assert encryptions < work_of_compact(choice.work_bits)
        return
    assert degrade(choice.work_bits, 2 + choice.chain.periods) == choice.chain.max_target
    # A compact target is truncated, which makes it harder by at most 2^-15.
    assert choice.chain.power <= choice.steady.power * Fraction(1 + 2**-14)


@given(st.lists(difficulties, min_size=1, max_size=20), supplies)
def test_nothing_beats_the_best_choice(chosen: list[int], encryptions: Fraction) -> None:
    choices = choices_by_difficulty(chosen, encryptions)
    best = best_choice(choices)
    on_chain = best_choice_on_chain(choices)

    assert all(choice.steady.power <= best.steady.power for choice in choices)
    assert all(_chain_power(choice) <= _chain_power(on_chain) for choice in choices)


def _chain_power(choice: DifficultyChoice | None) -> int:
    return choice.chain.power if choice is not None and choice.chain is not None else 0
