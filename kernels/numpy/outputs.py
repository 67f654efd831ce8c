"""How END adds registers to the output arrays of many items, each at a place of its own (spec 1
§3.3).

Which arm of an IF an item takes decides how many registers it outputs, so that the items' output
cursors drift apart. The output arrays therefore lie item by item, and what a run of ENDs outputs to
the same items is collected and added as one window of consecutive words for each of them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

U32s = npt.NDArray[np.uint32]
Lanes = npt.NDArray[np.intp]

OUTPUT_WORDS = 256
_MOST_PENDING = 64
_ROW_WORDS = OUTPUT_WORDS + _MOST_PENDING


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
            if len(self._pending) == _MOST_PENDING:
                self._flush()
            self._pending.append(register)

    def result(self) -> U32s:
        """The output arrays: (n, 256) uint32, a view."""
        self._flush()
        return self._rows[:, :OUTPUT_WORDS]

    def _flush(self) -> None:
        if not self._pending:
            return
        lanes, words = self._lanes, len(self._pending)
        if len(lanes) == self._count:
            added = np.stack(self._pending)
        else:
            added = np.stack([register[lanes] for register in self._pending])
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

        cursors += words
        past_end = cursors >= OUTPUT_WORDS
        wrapped = lanes[past_end]
        if len(wrapped):
            self._rows[wrapped, :words] += self._rows[wrapped, OUTPUT_WORDS : OUTPUT_WORDS + words]
            self._rows[wrapped, OUTPUT_WORDS:] = 0
            cursors[past_end] -= OUTPUT_WORDS
        self._cursors[lanes] = cursors
