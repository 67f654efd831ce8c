"""That a key is credited once, whatever the order of claims."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.handler.dedup import Keys, KeyTable, dedup_keys
from packetcrypt.protocol.announcement import dedup_key


def _keys(*values: int) -> Keys:
    return np.array(values, np.uint64)


def _credit(table: KeyTable, keys: Keys) -> list[bool]:
    granted = table.claim(keys)
    table.settle(keys[granted], np.ones(np.count_nonzero(granted), np.bool_))
    return granted.tolist()


def test_of_equal_keys_the_first_is_claimed() -> None:
    assert KeyTable().claim(_keys(5, 5, 7, 5)).tolist() == [True, False, True, False]


def test_a_claimed_key_is_not_claimed_again() -> None:
    table = KeyTable()
    table.claim(_keys(5))

    assert table.claim(_keys(5, 6)).tolist() == [False, True]


def test_a_released_key_can_be_claimed_again() -> None:
    table = KeyTable()
    table.claim(_keys(5, 6))
    table.settle(_keys(5, 6), np.array([False, True]))

    assert table.claim(_keys(5, 6)).tolist() == [True, False]
    assert len(table) == 1


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1])
def test_extreme_keys(key: int) -> None:
    table = KeyTable()
    table.add(_keys(key))

    assert table.claim(_keys(key)).tolist() == [False]


def test_of_nothing_nothing_is_claimed() -> None:
    table = KeyTable()
    table.add(_keys())

    assert table.claim(_keys()).tolist() == []
    assert len(table) == 0


@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=20))
def test_it_behaves_as_a_set(posts: list[list[int]]) -> None:
    table, credited = KeyTable(), set[int]()
    for post in posts:
        fresh = [key not in credited and key not in post[:i] for i, key in enumerate(post)]
        credited.update(post)

        assert _credit(table, _keys(*post)) == fresh
    assert len(table) == len(credited)


@given(st.lists(st.binary(min_size=1024, max_size=1024), max_size=3))
def test_dedup_keys_are_those_of_the_protocol(announcements: list[bytes]) -> None:
    keys: Callable[[bytes], Keys] = dedup_keys

    assert keys(b"".join(announcements)).tolist() == [dedup_key(one) for one in announcements]
