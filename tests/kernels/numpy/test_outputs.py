"""The output arrays of items against lists that are added to one register at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.kernels.numpy.outputs import MOST_PENDING, OUTPUT_WORDS, Outputs

ITEMS = 5


class PlainOutputs:
    """The same, word by word."""

    def __init__(self, initial: np.ndarray) -> None:
        self.words = [row.tolist() for row in initial]
        self._cursors = [0] * len(initial)

    def add(self, lane: int, registers: np.ndarray) -> None:
        for value in registers[:, lane].tolist():
            cursor = self._cursors[lane]
            self.words[lane][cursor] = (self.words[lane][cursor] + value) % 2**32
            self._cursors[lane] = (cursor + 1) % OUTPUT_WORDS


@given(st.data())
def test_random_ends_and_branches(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))

    def registers(most: int) -> np.ndarray:
        return rng.integers(0, 2**32, (data.draw(st.integers(0, most)), ITEMS), np.uint32)

    initial = rng.integers(0, 2**32, (ITEMS, OUTPUT_WORDS), np.uint32)
    outputs, plain = Outputs(initial), PlainOutputs(initial)
    for _ in range(data.draw(st.integers(1, 8))):
        lanes = sorted(data.draw(st.sets(st.integers(0, ITEMS - 1))))
        outputs.select(np.array(lanes, np.intp))
        end, then, otherwise = registers(150), registers(MOST_PENDING), registers(MOST_PENDING)
        first = rng.integers(0, 2, ITEMS).astype(np.bool_)
        outputs.add(list(end))
        outputs.add_either(first, list(then), list(otherwise))
        for lane in lanes:
            plain.add(lane, end)
            plain.add(lane, then if first[lane] else otherwise)
    assert outputs.result().tolist() == plain.words


@pytest.mark.parametrize("words", [1, 255, 256, 257, 600])
def test_everybody_wraps_around(words: int) -> None:
    outputs = Outputs(np.zeros((2, OUTPUT_WORDS), np.uint32))
    outputs.add([np.array([1, 2], np.uint32)] * words)
    rounds, rest = divmod(words, OUTPUT_WORDS)
    expected = np.full(OUTPUT_WORDS, rounds)
    expected[:rest] += 1
    assert outputs.result().tolist() == [expected.tolist(), (2 * expected).tolist()]
