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


def test_with_room_enough_it_is_the_best_set() -> None:
    assert best_set_within(1000, CLASSES, HEIGHT) == best_set(CLASSES, HEIGHT)


@pytest.mark.parametrize(
    ("limit", "counts"),
    [
        (190, {HEIGHT - 3: 90, HEIGHT - 4: 100}),
        (170, {HEIGHT - 3: 90, HEIGHT - 4: 80}),
        (120, {HEIGHT - 3: 90}),  # 30 more would halve what a hash is worth, and add 78 %
        (50, {HEIGHT - 3: 50}),
    ],
)
def test_less_of_the_least_is_taken(limit: int, counts: dict[int, int]) -> None:
    selected = best_set_within(limit, CLASSES, HEIGHT)
    assert selected is not None
    assert {each.parent_height: each.count for each in selected.classes} == counts
    assert selected.count == sum(counts.values())


def test_nothing_usable() -> None:
    assert best_set_within(10, CLASSES[2:3], HEIGHT) is None
