"""What the control words of a batch of CryptoCycle states ask for (spec 1 §2)."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

UNIT = 16
"""bytes: what lengths in the control word count, and a block of Poly1305"""
MAX_UNITS = 125
"""most units of additional data and message together"""

_TRUNCATED = 1 << 16
_LENGTH = 0x7F << 17

Indexes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Control:
    """The control words of n states, taken apart and truncated as `crypt` does: fields of (n,).

    words   : uint32, as they are written back
    decrypt : bool
    start   : units of additional data, from byte 48 to the message
    length  : units of message
    tail    : bytes to zero at the end of an encrypted message
    sizes   : (n, 2) uint64, the byte counts that end what the tag absorbs
    """

    words: npt.NDArray[np.uint32]
    decrypt: npt.NDArray[np.bool_]
    start: Indexes
    length: Indexes
    tail: Indexes
    sizes: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, words: npt.NDArray[np.uint32]) -> Self:
        """Take (n,) fresh control words apart."""
        word = words.astype(np.intp)
        start, wanted, tail = word >> 13 & 7, word >> 17 & 0x7F, word >> 8 & 0xF
        length = np.minimum(wanted, MAX_UNITS - start)
        truncated = np.where(wanted > length, _TRUNCATED, 0)
        understated = word & 0xF
        sizes = np.stack([UNIT * start - understated, UNIT * length - tail], axis=1)
        return cls(
            words=(word & ~(_TRUNCATED | _LENGTH) | truncated | length << 17).astype(np.uint32),
            decrypt=(word >> 12 & 1).astype(np.bool_),
            start=start,
            length=length,
            tail=tail,
            sizes=sizes.astype(np.int64).view(np.uint64),
        )

    def __getitem__(self, rows: Indexes) -> "Control":
        """The control words of some of the states."""
        return Control(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def absorbed(self) -> Indexes:
        """Units that the tag absorbs before the byte counts, from byte 48 on: 32…125."""
        return self.start + self.length
