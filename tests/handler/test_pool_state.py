"""Which parent block is meant by a height."""

import pytest

from packetcrypt.handler.pool_state import ParentBlock, PoolState


def _state(*heights: int) -> PoolState:
    parents = tuple(ParentBlock(height, bytes(32), None, None) for height in heights)
    return PoolState(parents, 0, 1, 0x207FFFFF, (1,))


@pytest.mark.parametrize(
    ("asked", "found"),
    [(100, 100), (95, 95), (101, 95), (94, 100), (106, 100), (0, 96), (-1, 95), (2**32, 100)],
)
def test_the_slot_of_a_height_is_its_residue_modulo_six(asked: int, found: int) -> None:
    assert _state(100, 99, 98, 97, 96, 95).in_slot_of(asked).height == found


def test_in_an_empty_slot_stands_the_tip() -> None:
    assert _state(2, 1, 0).in_slot_of(3).height == 2
