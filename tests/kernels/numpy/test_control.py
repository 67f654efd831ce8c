"""Control words of a batch against protocol/cryptocycle.py."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.kernels.numpy.control import Control
from packetcrypt.protocol import cryptocycle as plain


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8))
def test_fields(words: list[int]) -> None:
    control = Control.of(np.array(words, np.uint32))
    for row, word in enumerate(words):
        state = bytearray(plain.STATE_SIZE)
        state[12:16] = word.to_bytes(4, "little")
        asked = plain.Control.of(state)
        plain.crypt(state)
        written = plain.Control.of(state)
        assert int(control.words[row]).to_bytes(4, "little") == bytes(state[12:16])
        assert control.decrypt[row] == asked.decrypt
        assert control.start[row] == asked.additional_blocks
        assert control.length[row] == written.length_blocks
        assert control.tail[row] == asked.tail_zeros
        assert control.sizes[row].tolist() == [
            (16 * asked.additional_blocks - asked.additional_zeros) % 2**64,
            (16 * written.length_blocks - asked.tail_zeros) % 2**64,
        ]


def test_some_of_the_rows() -> None:
    words = np.array([0x00FF1234, 0x004083F1, 0x0060F00F], np.uint32)
    rows = np.array([2, 0])
    chosen, alone = Control.of(words)[rows], Control.of(words[rows])
    assert (chosen.words == alone.words).all()
    assert (chosen.absorbed == alone.absorbed).all()
    assert (chosen.sizes == alone.sizes).all()
