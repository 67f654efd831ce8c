"""How END adds registers to the output arrays of many items, each at a place of its own.

Which arm of an IF an item takes (spec 1 §3.3) decides how many registers it outputs, so that the
items' output cursors drift apart. The output arrays therefore lie item by item, and what a run of
ENDs outputs to the same items is collected and added as one window of consecutive words for each of
them.
"""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

U32s = npt.NDArray[np.uint32]
Lanes = npt.NDArray[np.intp]

OUTPUT_WORDS = 256
MOST_PENDING = 64
"""words of a window"""
_ROW_WORDS = OUTPUT_WORDS + MOST_PENDING
_SPARE_LANES = 16
"""keeps the words of an item in rows 2^k bytes apart from sharing one set of the cache"""


class Outputs:
    """Output arrays of n items, and who of them is being output to.

    initial : (n, 256) uint32, what is added to
    """

    def __init__(self, initial: U32s) -> None:
        self._count = len(initial)
        # A window may reach past the end of a row; what lands there is carried to its beginning.
        self._rows = np.zeros((self._count, _ROW_WORDS), np.uint32)
        self._rows[:, :OUTPUT_WORDS] = initial
        self._cursors = np.zeros(self._count, np.intp)
        self._lanes = np.arange(self._count)
        self._pending: list[U32s] = []
        self._stacked = np.empty((MOST_PENDING, self._count + _SPARE_LANES), np.uint32)

    @property
    def lanes(self) -> Lanes:
        """The items now output to, ascending."""
        return self._lanes

    def select(self, lanes: Lanes) -> None:
        """From now on output to these items."""
        self._flush()
        self._lanes = lanes

    def add(self, registers: Sequence[U32s]) -> None:
        """Add each (n,) register to the next output word of the selected items."""
        if not len(self._lanes):
            return
        for register in registers:
            if len(self._pending) == MOST_PENDING:
                self._flush()
            self._pending.append(register)

    def add_either(
        self, first: npt.NDArray[np.bool_], then: Sequence[U32s], otherwise: Sequence[U32s]
    ) -> None:
        """Add the registers `then` where (n,) `first`, `otherwise` elsewhere; at most 64 each.

        One window for both, the longer: in the shorter one's rows, what is past its end adds 0.
        """
        longest = max(len(then), len(otherwise))
        if len(self._pending) + longest > MOST_PENDING:
            self._flush()
        nothing = np.zeros(self._count, np.uint32)
        before = len(self._pending)
        for one, other in zip_longest(then, otherwise, fillvalue=nothing):
            self._pending.append(np.where(first, one, other))
        if len(then) != len(otherwise):
            words = np.where(first[self._lanes], len(then), len(otherwise))
            self._flush(before + words)

    def result(self) -> U32s:
        """The output arrays: (n, 256) uint32, a view."""
        self._flush()
        return self._rows[:, :OUTPUT_WORDS]

    def _flush(self, advance: Lanes | None = None) -> None:
        """Add the pending words; the cursors advance by their number, or by (lanes,) `advance`."""
        lanes, words = self._lanes, len(self._pending)
        if not words or not len(lanes):
            self._pending.clear()
            return
        added = self._stacked[:words, : len(lanes)]
        for row, register in zip(added, self._pending, strict=True):
            if len(lanes) == self._count:
                row[:] = register
            else:
                np.take(register, lanes, out=row, mode="clip")
        self._pending.clear()

        cursors = self._cursors[lanes]
        positions = lanes * _ROW_WORDS + cursors
        # Opaque records, as in cryptocycle: an index moves a whole window.
        window_dtype = np.dtype((np.void, 4 * words))
        windows = np.ndarray((self._rows.size - words + 1,), window_dtype, self._rows, strides=(4,))
        chosen = windows[positions]
        values = chosen.view(np.uint32).reshape(len(lanes), words)
        np.add(values, added.T, values)
        windows[positions] = chosen

        cursors += words if advance is None else advance
        past_end = cursors >= OUTPUT_WORDS
        wrapped = lanes[past_end]
        if len(wrapped):
            self._rows[wrapped, :words] += self._rows[wrapped, OUTPUT_WORDS : OUTPUT_WORDS + words]
            self._rows[wrapped, OUTPUT_WORDS:] = 0
            cursors[past_end] -= OUTPUT_WORDS
        self._cursors[lanes] = cursors
