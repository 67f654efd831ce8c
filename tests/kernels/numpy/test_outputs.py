"""The output arrays of items against lists that are added to one register at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.kernels.numpy.outputs import OUTPUT_WORDS, Outputs

ITEMS = 5


@given(st.data())
def test_random_ends(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    initial = rng.integers(0, 2**32, (ITEMS, OUTPUT_WORDS), np.uint32)
    outputs, expected, cursors = Outputs(initial), initial.copy(), [0] * ITEMS
    for _ in range(data.draw(st.integers(1, 8))):
        lanes = sorted(data.draw(st.sets(st.integers(0, ITEMS - 1))))
        registers = rng.integers(0, 2**32, (data.draw(st.integers(0, 150)), ITEMS), np.uint32)
        outputs.select(np.array(lanes, np.intp))
        outputs.add(list(registers))
        for register in registers:
            for lane in lanes:
                expected[lane, [cursors[lane]]] += register[lane]
                cursors[lane] = (cursors[lane] + 1) % OUTPUT_WORDS
    assert (outputs.result() == expected).all()


@pytest.mark.parametrize("words", [1, 255, 256, 257, 600])
def test_everybody_wraps_around(words: int) -> None:
    outputs = Outputs(np.zeros((2, OUTPUT_WORDS), np.uint32))
    outputs.add([np.array([1, 2], np.uint32)] * words)
    rounds, rest = divmod(words, OUTPUT_WORDS)
    expected = np.full(OUTPUT_WORDS, rounds)
    expected[:rest] += 1
    assert outputs.result().tolist() == [expected.tolist(), (2 * expected).tolist()]
