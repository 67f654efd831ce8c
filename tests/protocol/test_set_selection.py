"""The best set: known cases, and against trying all sets."""

from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.difficulty import (
    UNUSABLE,
    degrade,
    hashrate_multiplier,
    min_ann_target_ok,
)
from packetcrypt.protocol.set_selection import (
    AnnouncementClass,
    SelectedSet,
    best_set,
    target_at,
)

HEIGHT = 1000
BITS_128 = 0x2001FFFF
"""work 128"""


def _class(age: int, count: int, work_bits: int = BITS_128) -> AnnouncementClass:
    return AnnouncementClass(HEIGHT - age, work_bits, count)


# --- what an announcement counts with


@pytest.mark.parametrize("height", [0, 1, 2])
@pytest.mark.parametrize("parent_height", [0, 2, 500])
def test_below_height_3_all_announcements_count_in_full(height: int, parent_height: int) -> None:
    assert target_at(height, parent_height, BITS_128) == BITS_128


@pytest.mark.parametrize(
    ("age", "target"),
    [
        (-1, UNUSABLE),
        (0, UNUSABLE),
        (2, UNUSABLE),
        (3, BITS_128),
        (4, 0x2003FFFE),
        (9, 0x207FFFC0),
        (10, UNUSABLE),
        (260, UNUSABLE),
    ],
)
def test_from_height_3_on_they_degrade(age: int, target: int) -> None:
    assert target_at(HEIGHT, HEIGHT - age, BITS_128) == target
    assert target_at(3, 3 - age, BITS_128) == target


# --- known cases


@pytest.mark.parametrize(
    "classes",
    [
        [],
        [_class(2, 1000)],
        [_class(10, 1000)],
        [_class(3, 0)],
        [_class(3, 1000, work_bits=0x20800000), _class(3, 1000, work_bits=0)],
    ],
    ids=["none", "too young", "too old", "empty", "impossible work bits"],
)
def test_no_usable_announcement_no_set(classes: list[AnnouncementClass]) -> None:
    assert best_set(classes, HEIGHT) is None


def test_a_single_class() -> None:
    only = _class(3, 1000)
    assert best_set([only], HEIGHT) == SelectedSet((only,), BITS_128, 1000, 128 * 1000**2 >> 10)


def test_with_steady_mining_the_last_three_periods_are_best() -> None:
    """Spec 2: 1000 a block at difficulty 128 give (3000² × 32) / (1000² × 128) = 2.25 the power."""
    steady = [_class(age, 1000) for age in range(15)]
    best = best_set(steady, HEIGHT)
    assert best is not None
    assert best.classes == tuple(_class(age, 1000) for age in (3, 4, 5))
    assert (best.max_target, best.count) == (degrade(BITS_128, 5), 3000)
    assert best.multiplier == pytest.approx(2.25 * (128 * 1000**2 >> 10), rel=1e-4)


def test_few_easy_announcements_are_left_out() -> None:
    hard, easy = _class(3, 1000, 0x1F0FFFFF), _class(3, 10, 0x207FFFFF)
    best = best_set([easy, hard], HEIGHT)
    assert best is not None
    assert best.classes == (hard,)


def test_many_easy_announcements_are_taken_with_the_hard_ones() -> None:
    hard, easy = _class(3, 10, 0x1F0FFFFF), _class(3, 1000, 0x207FFFFF)
    best = best_set([easy, hard], HEIGHT)
    assert best is not None
    assert best.classes == (hard, easy)
    assert (best.max_target, best.count) == (0x207FFFFF, 1010)


def test_tiny_sets_are_not_all_worth_nothing() -> None:
    """Two announcements of work 128 have multiplier 0 as one has, and yet four times the power."""
    assert hashrate_multiplier(BITS_128, 2) == hashrate_multiplier(BITS_128, 1) == 0
    best = best_set([_class(3, 1), AnnouncementClass(HEIGHT - 3, BITS_128 + 1, 1)], HEIGHT)
    assert best is not None
    assert best.count == 2


def test_of_sets_that_are_worth_the_same_the_smaller_is_taken() -> None:
    hard, easy = _class(3, 10, 0x201FFFFF), _class(3, 10, 0x207FFFFF)  # work 8 and 2

    selected = best_set([easy, hard], HEIGHT)

    assert selected is not None
    assert selected.classes == (hard,)


def test_targets_compare_as_compact_integers() -> None:
    """Both are the target 2^232. The check of a block takes 0x20000001 for easier, so this must."""
    canonical, odd = _class(3, 10, 0x1E010000), _class(3, 10, 0x20000001)
    best = best_set([odd, canonical], HEIGHT)
    assert best is not None
    assert best.classes == (canonical, odd)
    assert best.max_target == 0x20000001


# --- against all sets

CLASSES = st.lists(
    st.builds(
        AnnouncementClass,
        parent_height=st.integers(HEIGHT - 12, HEIGHT),
        work_bits=st.sampled_from(
            [0x207FFFFF, 0x2001FFFF, 0x1F0FFFFF, 0x1E010000, 0x20000001, 0x2000FFFF]
        )
        | st.integers(0x1C000000, 0x20FFFFFF).filter(min_ann_target_ok),
        count=st.integers(0, 5000),
    ),
    max_size=6,
)


def _multiplier(classes: Iterable[AnnouncementClass]) -> int:
    """Of all these announcements together; −1 if they cannot be mined with."""
    members = [members for members in classes if members.count]
    targets = [target_at(HEIGHT, each.parent_height, each.work_bits) for each in members]
    if not targets or max(targets) == UNUSABLE:
        return -1
    return hashrate_multiplier(max(targets), sum(each.count for each in members))


@given(CLASSES)
def test_no_set_is_better(classes: list[AnnouncementClass]) -> None:
    sets = (some for size in range(7) for some in combinations(classes, size))
    most = max(map(_multiplier, sets))
    best = best_set(classes, HEIGHT)
    assert (-1 if best is None else best.multiplier) == most
    if best is not None:
        assert _multiplier(best.classes) == most
        assert best.count == sum(each.count for each in best.classes)
        assert best.max_target == max(
            target_at(HEIGHT, each.parent_height, each.work_bits) for each in best.classes
        )
