"""Which of the latest work is paid: examples by hand, then what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.payout_walk import MINUTE, Credited, minute_merged, paid_credits, walk


def credited(*work: tuple[int, int, float]) -> Credited:
    """Of (time, address, credits), oldest first."""
    times, addresses, credits = zip(*work, strict=True) if work else ((), (), ())
    return Credited(
        np.array(times, np.int64), np.array(addresses, np.int64), np.array(credits, np.float64)
    )


WORK = st.lists(
    st.tuples(
        st.integers(0, 5 * MINUTE), st.integers(0, 3), st.floats(0, 1, allow_subnormal=False)
    ),
    max_size=30,
).map(sorted)


@pytest.mark.parametrize(
    ("limit", "paid"),
    [
        (0.0, [0, 0, 0, 0]),
        (0.5, [0, 0, 0, 0.5]),
        (1.0, [0, 0, 0, 1]),
        (1.5, [0, 0, 0.5, 1]),
        (4.5, [0, 1.5, 2, 1]),
        (10.0, [4, 3, 2, 1]),
        (99.0, [4, 3, 2, 1]),
    ],
)
def test_the_newest_are_paid_first_and_the_last_in_part(limit: float, paid: list[float]) -> None:
    assert paid_credits(np.array([4.0, 3.0, 2.0, 1.0]), limit).tolist() == paid


def test_half_of_the_payout_for_a_credit() -> None:
    # Constant 2 and part 0.5: the newest 1.0 credits are paid, each with half of the payout.
    window = walk(credited((1, 0, 0.5), (2, 1, 0.75), (3, 0, 0.25)), 2.0, 0.5, 3)
    assert window.credits.tolist() == [0.25, 0.75, 0.0]
    assert window.fractions.tolist() == [0.125, 0.375, 0.0]
    assert (window.begin, window.end) == (2, 3)


def test_a_window_that_is_not_full_pays_less_than_its_part() -> None:
    window = walk(credited((1, 0, 0.25)), 2.0, 0.5, 1)
    assert window.fractions.tolist() == [0.125]


@pytest.mark.parametrize("work", [(), ((5, 0, 0.0),)])
def test_nothing_to_pay(work: tuple[tuple[int, int, float], ...]) -> None:
    window = walk(credited(*work), 2.0, 0.5, 2)
    assert window.fractions.tolist() == [0.0, 0.0]
    assert (window.begin, window.end) == (None, None)


@given(work=WORK, constant=st.floats(0.01, 10), part=st.floats(0, 1))
def test_a_side_never_pays_more_than_its_part(
    work: list[tuple[int, int, float]], constant: float, part: float
) -> None:
    window = walk(credited(*work), constant, part, 4)
    earned = sum(credits for _, _, credits in work)
    assert window.credits.sum() == pytest.approx(min(part * constant, earned))
    assert window.fractions.sum() <= part + 1e-9
    assert (window.credits >= 0).all()


@given(work=WORK, constant=st.floats(0.01, 10), part=st.floats(0, 1))
def test_it_is_what_a_walk_step_by_step_pays(
    work: list[tuple[int, int, float]], constant: float, part: float
) -> None:
    left, fractions = part, [0.0] * 4
    for _, number, credits in reversed(work):
        pay = min(left, credits / constant)
        fractions[number] += pay
        left -= pay
    found = walk(credited(*work), constant, part, 4).fractions
    assert found.tolist() == pytest.approx(fractions, abs=1e-9)


def test_the_minute_in_which_a_window_begins_is_one_piece_an_address() -> None:
    work = credited(
        (0, 0, 9.0),
        (MINUTE, 0, 1.0),
        (MINUTE + 1, 1, 1.0),
        (MINUTE + 2, 0, 1.0),
        (2 * MINUTE, 1, 0.5),
    )
    merged = minute_merged(work, 2.0)
    assert merged.times.tolist() == [MINUTE + 1, MINUTE + 2, 2 * MINUTE]
    assert merged.addresses.tolist() == [1, 0, 1]
    assert merged.credits.tolist() == [1.0, 2.0, 0.5]
    # Address 0 has the newest piece of that minute, so that it is paid before address 1.
    assert walk(merged, 2.0, 1.0, 2).credits.tolist() == [1.5, 0.5]


@given(work=WORK, limit=st.floats(0.01, 20))
def test_merging_changes_no_sum_but_within_a_minute(
    work: list[tuple[int, int, float]], limit: float
) -> None:
    plain = walk(credited(*work), limit, 1.0, 4)
    merged = walk(minute_merged(credited(*work), limit), limit, 1.0, 4)
    assert merged.credits.sum() == pytest.approx(plain.credits.sum())
    if plain.begin is None or merged.begin is None:
        return
    assert plain.begin // MINUTE == merged.begin // MINUTE
    in_minute = sum(c for time, _, c in work if time // MINUTE == plain.begin // MINUTE)
    assert np.abs(plain.credits - merged.credits).max() <= in_minute + 1e-9
