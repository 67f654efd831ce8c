"""How Poly1305 tags of thousands of messages are computed at once (RFC 8439, spec 1 §2).

Every message has its own key and consists of whole 16-byte blocks, as all that CryptoCycle absorbs
does. Messages of different lengths are aligned at their ends: block t of all messages is absorbed
in one step, and the shorter messages join later. They are sorted by length, longest first, so that
those under way are always the first columns of every array.

Numbers modulo p = 2^130 − 5 are five limbs of 26 bits in uint64, limb-major: (5, n). Limb i of the
sum contributes to limb k of its product with r: itself times r[k − i] or, past 2^130 ≡ 5, itself
times 5·r[5 + k − i]. So the rows 5r₁ 5r₂ 5r₃ 5r₄ r₀ r₁ r₂ r₃ r₄ hold all factors of each limb next
to each other.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

U64s = npt.NDArray[np.uint64]

_LIMBS = 5
_FACTORS = 9
_BITS = np.array(26, np.uint64)
_MASK = np.array((1 << 26) - 1, np.uint64)
_FIVE = np.array(5, np.uint64)
_SHIFT_12, _SHIFT_14, _SHIFT_32, _SHIFT_40, _SHIFT_52 = (
    np.array(bits, np.uint64) for bits in (12, 14, 32, 40, 52)
)
_CLAMP_LOW, _CLAMP_HIGH = (
    np.array(mask, np.uint64) for mask in (0x0FFFFFFC0FFFFFFF, 0x0FFFFFFC0FFFFFFC)
)
#: The bit above a whole block, 2^128, in the top limb.
_BLOCK_BIT = np.array(1 << 24, np.uint64)


class Poly1305:
    """Buffers for up to `capacity` messages a call. About 190 bytes a message. Not to be shared.

    checkpoint : called after every block of the messages; what it raises ends the work
    """

    def __init__(self, capacity: int, checkpoint: Callable[[], None] = lambda: None) -> None:
        self._checkpoint = checkpoint
        self._factors = np.empty(_FACTORS * capacity, np.uint64)
        self._sum, self._product, self._scratch = (
            np.empty(_LIMBS * capacity, np.uint64) for _ in range(3)
        )

    def tags(
        self, keys: npt.NDArray[np.uint32], blocks: U64s, lengths: npt.NDArray[np.intp]
    ) -> U64s:
        """The tags of n messages: (2, n) uint64, low half first.

        keys    : (8, n) uint32, the one-time keys, word by word
        blocks  : (m, n, 2) uint64, the halves of each block; message i is the last lengths[i]
                  blocks of column i, and what is above them is not looked at
        lengths : (n,) blocks a message, 1…m, descending
        """
        count = keys.shape[1]
        low, high = _joined(keys[0], keys[1]), _joined(keys[2], keys[3])
        factors = self._factors[: _FACTORS * count].reshape(_FACTORS, count)
        _fill_factors(low & _CLAMP_LOW, high & _CLAMP_HIGH, factors)

        total = self._sum[: _LIMBS * count].reshape(_LIMBS, count)
        total[:] = 0
        self._absorb(total, factors, blocks, _joining(lengths, len(blocks)))
        low, high = _reduced(total)
        return _sum128(low, high, _joined(keys[4], keys[5]), _joined(keys[6], keys[7]))

    def _absorb(
        self, total: U64s, factors: U64s, blocks: U64s, joined: npt.NDArray[np.intp]
    ) -> None:
        """total := (total + block) · r for every block, carried far enough to go on.

        Limbs enter a product below 2^27 or, every other time, below 2^32; r's are clamped to 26
        bits, so the products' sums stay below 2^58 and 2^62. One round of carries leaves limbs
        below 2^32, a second one below 2^27.
        """
        size = len(self._product)
        for step, active in enumerate(joined.tolist()):
            product, scratch = (
                buffer[:size][: _LIMBS * active].reshape(_LIMBS, active)
                for buffer in (self._product, self._scratch)
            )
            under_way = total[:, :active]
            _split(blocks[step, :active, 0], blocks[step, :active, 1], scratch, product[0])
            np.add(scratch[4], _BLOCK_BIT, scratch[4])
            np.add(under_way, scratch, under_way)
            np.multiply(under_way[0], factors[4:, :active], product)
            for limb in range(1, _LIMBS):
                np.multiply(under_way[limb], factors[4 - limb : 9 - limb, :active], scratch)
                np.add(product, scratch, product)
            _carry(product, scratch, under_way)
            if step % 2:
                _carry(under_way, scratch, under_way)
            self._checkpoint()
        _carry(total, self._scratch[: total.size].reshape(total.shape), total)


def _joining(lengths: npt.NDArray[np.intp], steps: int) -> npt.NDArray[np.intp]:
    """How many messages are under way at each step: (steps,)."""
    starts = steps - lengths  # ascending
    return np.searchsorted(starts, np.arange(steps), side="right")


def _joined(low: npt.NDArray[np.uint32], high: npt.NDArray[np.uint32]) -> U64s:
    return low | high.astype(np.uint64) << _SHIFT_32


def _split(low: U64s, high: U64s, limbs: U64s, scratch: U64s) -> None:
    """Write the five limbs of 128-bit numbers to `limbs`."""
    np.bitwise_and(low, _MASK, limbs[0])
    np.right_shift(low, _BITS, limbs[1])
    np.bitwise_and(limbs[1], _MASK, limbs[1])
    np.right_shift(low, _SHIFT_52, limbs[2])
    np.left_shift(high, _SHIFT_12, scratch)
    np.bitwise_or(limbs[2], scratch, limbs[2])
    np.bitwise_and(limbs[2], _MASK, limbs[2])
    np.right_shift(high, _SHIFT_14, limbs[3])
    np.bitwise_and(limbs[3], _MASK, limbs[3])
    np.right_shift(high, _SHIFT_40, limbs[4])


def _fill_factors(low: U64s, high: U64s, factors: U64s) -> None:
    """Write what multiplies by the 128-bit numbers r (module docstring)."""
    r = factors[_LIMBS - 1 :]
    _split(low, high, r, factors[0])
    np.multiply(r[1:], _FIVE, factors[: _LIMBS - 1])


def _carry(limbs: U64s, carries: U64s, out: U64s) -> None:
    """out := limbs with what exceeds 26 bits moved one limb on, all limbs at the same time."""
    np.right_shift(limbs, _BITS, carries)
    np.bitwise_and(limbs, _MASK, out)
    np.add(out[1:], carries[:-1], out[1:])
    np.multiply(carries[-1], _FIVE, carries[-1])
    np.add(out[0], carries[-1], out[0])


def _reduced(limbs: U64s) -> tuple[U64s, U64s]:
    """The numbers below p, modulo 2^128, as low and high halves."""
    full = _carried(limbs)
    full = _carried(full)  # the wrap of the first round may have filled limb 0 again
    minus_p = full.copy()
    minus_p[0] += _FIVE
    for i in range(_LIMBS - 1):
        minus_p[i + 1] += minus_p[i] >> _BITS
        minus_p[i] &= _MASK
    at_least_p = (minus_p[4] >> _BITS).astype(np.bool_)
    h = np.where(at_least_p, minus_p & _MASK, full)
    low = h[0] | h[1] << _BITS | h[2] << _SHIFT_52
    high = h[2] >> _SHIFT_12 | h[3] << _SHIFT_14 | h[4] << _SHIFT_40
    return low, high


def _carried(limbs: U64s) -> U64s:
    """The same numbers with carries taken from limb to limb and once around."""
    limbs = limbs.copy()
    for i in range(_LIMBS - 1):
        limbs[i + 1] += limbs[i] >> _BITS
        limbs[i] &= _MASK
    limbs[0] += (limbs[4] >> _BITS) * _FIVE
    limbs[4] &= _MASK
    return limbs


def _sum128(low: U64s, high: U64s, add_low: U64s, add_high: U64s) -> U64s:
    """Sums modulo 2^128: (2, n)."""
    total = low + add_low
    carry = (total < low).astype(np.uint64)
    return np.stack([total, high + add_high + carry])
