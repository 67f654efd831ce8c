"""Which set is best when it must not have everything."""

import pytest
from made_up_blocks import USUAL

from packetcrypt.engine.block_set import best_set_within
from packetcrypt.protocol.set_selection import AnnouncementClass, best_set

HEIGHT = 1000
CLASSES = [
    AnnouncementClass(HEIGHT - 4, USUAL, 100),
    AnnouncementClass(HEIGHT - 3, USUAL, 90),
    AnnouncementClass(HEIGHT - 2, USUAL, 500),
    AnnouncementClass(HEIGHT - 9, USUAL, 30),
]


def test_with_room_enough_it_is_the_best_set_without_one() -> None:
    best, selected = best_set(CLASSES, HEIGHT), best_set_within(1000, CLASSES, HEIGHT)
    assert best is not None
    assert selected is not None
    assert (best.count, selected.count) == (190, 189)
    assert selected.max_target == best.max_target


def test_an_odd_set_is_the_best_set() -> None:
    odd = [AnnouncementClass(HEIGHT - 4, USUAL, 101), *CLASSES[1:]]
    assert best_set_within(1000, odd, HEIGHT) == best_set(odd, HEIGHT)


def test_a_class_of_one_is_left_out_whole() -> None:
    two = [AnnouncementClass(HEIGHT - 3, USUAL, 1), AnnouncementClass(HEIGHT - 4, USUAL, 1)]
    selected = best_set_within(1000, two, HEIGHT)
    assert selected == best_set(two[:1], HEIGHT)


@pytest.mark.parametrize(
    ("limit", "counts"),
    [
        (190, {HEIGHT - 3: 90, HEIGHT - 4: 99}),
        (171, {HEIGHT - 3: 90, HEIGHT - 4: 81}),
        (170, {HEIGHT - 3: 90, HEIGHT - 4: 79}),
        (120, {HEIGHT - 3: 89}),  # 30 more would halve what a hash is worth, and add 78 %
        (50, {HEIGHT - 3: 49}),
        (1, {HEIGHT - 3: 1}),
    ],
)
def test_less_of_the_least_is_taken(limit: int, counts: dict[int, int]) -> None:
    selected = best_set_within(limit, CLASSES, HEIGHT)
    assert selected is not None
    assert {each.parent_height: each.count for each in selected.classes} == counts
    assert selected.count == sum(counts.values())


def test_nothing_usable() -> None:
    assert best_set_within(10, CLASSES[2:3], HEIGHT) is None
