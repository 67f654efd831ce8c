"""How ChaCha20 makes thousands of keystream blocks at once (RFC 8439, spec 1 §1).

Every block has its own key, nonce and counter. The state is kept structure-of-arrays: word w of all
blocks lies together, and the four words of a row of the ChaCha matrix lie one after another, so
that one NumPy call does the same step of all four quarter rounds of all blocks. Before the diagonal
rounds the rows must be rotated against each other: rows b, c and d have spare places at an end, so
that copying the one or two words that wrap, and looking at the row from further on, is all it
takes.
"""

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.rotation import Rotation

BLOCK_WORDS = 16
INPUT_WORDS = 12
"""words of the initial state that differ between blocks: key (8), counter, nonce (3)"""

_CONSTANTS = np.frombuffer(b"expand 32-byte k", "<u4").reshape(4, 1)
_DOUBLE_ROUNDS = 10
_ROTATE_16, _ROTATE_12, _ROTATE_8, _ROTATE_7 = (Rotation(np.uint32, r) for r in (16, 12, 8, 7))

U32s = npt.NDArray[np.uint32]


class ChaCha20:
    """Buffers for up to `capacity` blocks a call. About 190 bytes a block; not to be shared."""

    def __init__(self, capacity: int) -> None:
        self._inputs = np.empty(INPUT_WORDS * capacity, np.uint32)
        self._a, self._b, self._c, self._d, self._scratch = (
            np.empty(rows * capacity, np.uint32) for rows in (4, 5, 6, 5, 4)
        )

    def inputs(self, count: int) -> U32s:
        """Where to put what the next `count` blocks are made of: (12, count) uint32.

        Rows: 8 key words, the block counter, 3 nonce words.
        """
        return self._inputs[: INPUT_WORDS * count].reshape(INPUT_WORDS, count)

    def run(self, out: U32s) -> None:
        """Make the blocks of the last `inputs`; keystream word w of block i goes to out[w, i].

        out : (words, count) uint32 of any strides; fewer than 16 words if no more are wanted
        """
        count = out.shape[1]
        inputs = self.inputs(count)
        a, b, c, d = (
            buffer[: rows * count].reshape(rows, count)
            for buffer, rows in ((self._a, 4), (self._b, 5), (self._c, 6), (self._d, 5))
        )
        scratch = self._scratch[: 4 * count].reshape(4, count)
        a[:] = _CONSTANTS
        b[:4], c[:4], d[1:] = inputs[0:4], inputs[4:8], inputs[8:12]
        for _ in range(_DOUBLE_ROUNDS):
            _quarter_rounds(a, b[:4], c[:4], d[1:], scratch)
            b[4], c[4:], d[0] = b[0], c[:2], d[4]
            _quarter_rounds(a, b[1:], c[2:], d[:4], scratch)
            b[0], c[:2], d[4] = b[4], c[4:], d[0]
        np.add(a, _CONSTANTS, a)
        rows = (a, b[:4], c[:4], d[1:])
        initial = (None, inputs[0:4], inputs[4:8], inputs[8:12])
        for first, row, start in zip(range(0, len(out), 4), rows, initial, strict=False):
            words = min(4, len(out) - first)
            if start is None:
                out[first : first + words] = row[:words]
            else:
                np.add(row[:words], start[:words], out[first : first + words])


def _quarter_rounds(a: U32s, b: U32s, c: U32s, d: U32s, scratch: U32s) -> None:
    """Quarter rounds of column j (or diagonal j) on words a[j], b[j], c[j], d[j], all j at once."""
    np.add(a, b, a)
    np.bitwise_xor(d, a, d)
    _ROTATE_16(d, scratch)
    np.add(c, d, c)
    np.bitwise_xor(b, c, b)
    _ROTATE_12(b, scratch)
    np.add(a, b, a)
    np.bitwise_xor(d, a, d)
    _ROTATE_8(d, scratch)
    np.add(c, d, c)
    np.bitwise_xor(b, c, b)
    _ROTATE_7(b, scratch)
