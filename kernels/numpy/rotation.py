"""How words are rotated: NumPy has shifts but no rotation."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: An array of unsigned words, all of one dtype.
Words = npt.NDArray[Any]


class Rotation:
    """A rotation to the left by a fixed number of bits.

    The shift counts are kept as 0-d arrays: NumPy converts a Python or NumPy scalar anew on every
    call, which on arrays that fit the L1 cache costs as much as the shift.
    """

    def __init__(self, dtype: type[np.uint32] | type[np.uint64], bits: int) -> None:
        width = 8 * np.dtype(dtype).itemsize
        self._left = np.array(bits, dtype)
        self._right = np.array(width - bits, dtype)

    def __call__(self, words: Words, scratch: Words) -> None:
        """Rotate `words` in place; `scratch` has their shape and dtype and is overwritten."""
        np.left_shift(words, self._left, scratch)
        np.right_shift(words, self._right, words)
        np.bitwise_or(words, scratch, words)
