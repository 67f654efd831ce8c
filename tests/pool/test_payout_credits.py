"""What events are worth: examples by hand, then what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.payout_credits import (
    Integers,
    Reals,
    counted_announcements,
    credits_of,
    work_of_targets,
)
from packetcrypt.protocol.difficulty import work_of_compact


def ints(*numbers: int) -> Integers:
    return np.array(numbers, np.int64)


def reals(*numbers: float) -> Reals:
    return np.array(numbers, np.float64)


@pytest.mark.parametrize(
    ("accepted", "unsigned", "total_length", "is_signing", "counted"),
    [
        (100, 0, 0, False, 100),
        (100, 30, 0, False, 100),
        (100, 30, 0, True, 70),
        (100, 0, 16383, False, 100),
        (100, 0, 16384, False, 99),
        (100, 30, 5 * 16384 - 1, True, 66),
        (3, 0, 1 << 20, False, 0),
        (3, 4, 0, True, 0),
    ],
)
def test_counted_announcements(
    accepted: int, unsigned: int, total_length: int, is_signing: bool, counted: int
) -> None:
    found = counted_announcements(
        ints(accepted), ints(unsigned), ints(total_length), is_signing=is_signing
    )
    assert found.tolist() == [counted]


def test_work_of_targets() -> None:
    targets = ints(0x2000FFFF, 0x1F00FFFF, 0x207FFFFF, 0x2000FFFF)
    assert work_of_targets(targets).tolist() == [256.0, 65537.0, 2.0, 256.0]
    assert work_of_targets(ints()).tolist() == []


def test_a_block_of_difficulty_1_is_a_credit() -> None:
    (credit,) = credits_of(ints(5), reals(4096 * 4096), ints(1), reals(1.0), None)
    assert credit == 1.0


def test_the_newest_block_strictly_earlier_counts() -> None:
    work = reals(*[2.0**24] * 6)
    times = ints(5, 10, 11, 20, 20, 21)
    credits = credits_of(times, work, ints(10, 20), reals(2.0, 4.0), 1.0)
    assert credits.tolist() == [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]


def test_without_a_block_the_first_difficulty_counts() -> None:
    assert credits_of(ints(5), reals(2.0**24), ints(), reals(), 8.0).tolist() == [0.125]


def test_without_any_difficulty_nothing_counts() -> None:
    assert credits_of(ints(5, 9), reals(1e30, 1e30), ints(7), reals(1e23), None)[0] == 0.0


@given(
    events=st.lists(st.tuples(st.integers(0, 50), st.sampled_from([1.0, 7.0, 1e12]))),
    blocks=st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.5, 1.0, 3.0]))),
)
def test_it_is_what_the_rule_says_event_by_event(
    events: list[tuple[int, float]], blocks: list[tuple[int, float]]
) -> None:
    events.sort(key=lambda event: event[0])
    blocks.sort(key=lambda block: block[0])
    credits = credits_of(
        ints(*(time for time, _ in events)),
        reals(*(work for _, work in events)),
        ints(*(time for time, _ in blocks)),
        reals(*(difficulty for _, difficulty in blocks)),
        5.0,
    )
    for credit, (time, work) in zip(credits, events, strict=True):
        earlier = [difficulty for at, difficulty in blocks if at < time]
        difficulty = earlier[-1] if earlier else 5.0
        assert credit == pytest.approx(work / (difficulty * 2**24))


def test_targets_are_those_of_the_protocol() -> None:
    targets = [0x2001FFFF, 0x1E03FFFF]
    assert work_of_targets(ints(*targets)).tolist() == list(map(work_of_compact, targets))
