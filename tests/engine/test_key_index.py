"""The keys of a class: what goes in is found, in order, once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.engine.key_index import KeyIndex, KeyRows, merged

few_keys = st.lists(st.integers(0, 60), max_size=12, unique=True)


def run_of(keys: list[int], first_row: int = 0) -> KeyRows:
    return KeyRows(
        np.array(sorted(keys), np.uint64),
        np.arange(first_row, first_row + len(keys), dtype=np.uint32),
    )


@given(batches=st.lists(few_keys, max_size=12))
def test_batches_are_found_in_order(batches: list[list[int]]) -> None:
    index = KeyIndex()
    row_of: dict[int, int] = {}
    for batch in batches:
        keys = np.array(sorted(batch), np.uint64)
        new = ~index.contains(keys)
        assert [int(key) not in row_of for key in keys] == new.tolist()
        run = run_of(keys[new].tolist(), first_row=len(row_of))
        row_of.update(zip(run.keys.tolist(), run.rows.tolist(), strict=True))
        index.insert(run)

    keys, rows = index.sorted()
    assert len(index) == len(row_of)
    assert keys.tolist() == sorted(row_of)
    assert dict(zip(keys.tolist(), rows.tolist(), strict=True)) == row_of


@given(keys=few_keys, removed=st.sets(st.integers(0, 12)))
def test_removed_rows_are_gone(keys: list[int], removed: set[int]) -> None:
    index = KeyIndex()
    run = run_of(keys)
    index.insert(run)

    index.remove(np.array(sorted(removed), np.uint32))

    assert set(index.sorted().rows.tolist()) == set(run.rows.tolist()) - removed


def test_long_runs_stay_few() -> None:
    index = KeyIndex()
    for number in range(1000):
        index.insert(run_of([number]))
    assert len(index.runs) <= 10  # 2^10 > 1000
    assert len(index) == 1000


def test_arrays_that_were_handed_out_do_not_change() -> None:
    index = KeyIndex()
    index.insert(run_of([1, 5]))
    index.insert(run_of([3], first_row=2))
    before = index.sorted()
    index.insert(run_of([2, 4], first_row=3))
    index.remove(np.array([0], np.uint32))
    assert before.keys.tolist() == [1, 3, 5]


def test_equal_keys_of_several_runs_stay_in_the_order_of_the_runs() -> None:
    keys, rows = merged([run_of([1, 5]), run_of([5, 9], first_row=2)])
    assert keys.tolist() == [1, 5, 5, 9]
    assert rows.tolist() == [0, 1, 2, 3]
