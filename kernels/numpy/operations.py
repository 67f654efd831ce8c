"""What each RandHash operation computes, on the registers of many items at once (spec 1 §3.1).

An operation maps two operands to one array of results. Operands are C-contiguous (n,) arrays:
uint32, or uint64 for 64-bit operands. Results are (n,) uint32 or uint64 or, where it takes four
registers, (2, n) uint64, low half first. Operands are never written to.

8- and 16-bit lanes are views of the same memory, which is what makes them fast; the host is
little-endian, as all of this package's byte layouts assume.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.opcodes import Opcode

Words = npt.NDArray[Any]
Operation = Callable[[Words, Words], Words]

_Lane = type[np.integer[Any]]
_LANES: dict[int, _Lane] = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}
_SIGNED: dict[int, _Lane] = {8: np.int8, 16: np.int16, 32: np.int32, 64: np.int64}

_ONE = np.array(1, np.uint32)
_SHIFT_16, _MASK_16 = np.array(16, np.uint32), np.array(0xFFFF, np.uint32)
_SHIFT_32, _MASK_32 = np.array(32, np.uint64), np.array(0xFFFFFFFF, np.uint64)
_SHIFT_63 = np.array(63, np.int64)


def _table16(width: int, lane: Callable[[int, int], int]) -> npt.NDArray[np.uint16]:
    """`lane`(value, width) of every lane of `width` bits, tabulated for each 16-bit value."""
    of_lane = np.array([lane(value, width) for value in range(1 << width)], np.uint16)
    if width == 16:
        return of_lane
    values = np.arange(1 << 16)
    table: npt.NDArray[np.uint16] = of_lane[values & 0xFF] | of_lane[values >> 8] << 8
    return table


def _ones(value: int, _width: int) -> int:
    return value.bit_count()


def _leading_zeros(value: int, width: int) -> int:
    return width - value.bit_length()


def _trailing_zeros(value: int, width: int) -> int:
    return (value & -value).bit_length() - 1 if value else width


_POPCNT = {width: _table16(width, _ones) for width in (8, 16)}
_CLZ = {width: _table16(width, _leading_zeros) for width in (8, 16)}
_CTZ = {width: _table16(width, _trailing_zeros) for width in (8, 16)}


def _looked_up(table: npt.NDArray[np.uint16], a: Words, _b: Words) -> Words:
    return table.take(a.view(np.uint16)).view(np.uint32)


def _popcnt32(a: Words, _b: Words) -> Words:
    halves = _POPCNT[16].take(a.view(np.uint16)).view(np.uint32)
    return (halves >> _SHIFT_16) + (halves & _MASK_16)


def _clz32(a: Words, _b: Words) -> Words:
    # The exponent of a + ½, which no conversion rounds, is one less than the bit length of a; that
    # holds for 0 as well.
    exponents = (a + 0.5).view(np.uint64) >> np.uint64(52)
    return (np.uint64(1022 + 32) - exponents).astype(np.uint32)


def _ctz32(a: Words, b: Words) -> Words:
    return _popcnt32(~a & (a - _ONE), b)


def _byte_swap(width: int, a: Words, _b: Words) -> Words:
    return a.view(_LANES[width]).byteswap().view(np.uint32)


def _per_lane(ufunc: np.ufunc, width: int, a: Words, b: Words) -> Words:
    lanes: Words = ufunc(a.view(_LANES[width]), b.view(_LANES[width]))
    return lanes.view(a.dtype)


def _shift(ufunc: np.ufunc, lane: _Lane, a: Words, b: Words) -> Words:
    """Shift each lane by its count modulo its width; arithmetically where `lane` is signed."""
    width = 8 * np.dtype(lane).itemsize
    shifted: Words = ufunc(a.view(lane), b.view(lane) & lane(width - 1))
    return shifted.view(a.dtype)


def _rotate(left: bool, width: int, a: Words, b: Words) -> Words:
    lane = _LANES[width]
    lanes, mask = a.view(lane), lane(width - 1)
    count = b.view(lane) & mask
    opposite = -count & mask
    if not left:
        count, opposite = opposite, count
    rotated: Words = lanes << count | lanes >> opposite
    return rotated.view(a.dtype)


def _widening(
    ufunc: np.ufunc, width: int, a_signed: bool, b_signed: bool, a: Words, b: Words
) -> Words:
    """One result of twice the width from each lane: (n,) uint64"""
    signed = a_signed or b_signed
    results: Words = ufunc(
        a.view((_SIGNED if a_signed else _LANES)[width]),
        b.view((_SIGNED if b_signed else _LANES)[width]),
        dtype=(_SIGNED if signed else _LANES)[2 * width],
    )
    return results.view(np.uint64)


def _add64c(a: Words, b: Words) -> Words:
    total = a + b
    return np.stack([total, (total < a).astype(np.uint64)])


def _sub64c(a: Words, b: Words) -> Words:
    # −1 as a signed number is the all ones that stand for a borrow.
    return np.stack([a - b, -(a < b).astype(np.uint64)])


def _multiply128(a_signed: bool, b_signed: bool, a: Words, b: Words) -> Words:
    """128-bit products from four products of 32-bit halves."""
    a_low, a_high, b_low, b_high = a & _MASK_32, a >> _SHIFT_32, b & _MASK_32, b >> _SHIFT_32
    low, cross, cross2, high = a_low * b_low, a_low * b_high, a_high * b_low, a_high * b_high
    middle = (low >> _SHIFT_32) + (cross & _MASK_32) + cross2
    out = np.empty((2, len(a)), np.uint64)
    np.multiply(a, b, out[0])
    np.add(high, cross >> _SHIFT_32, out[1])
    out[1] += middle >> _SHIFT_32
    # A negative number was taken for one that is 2^64 larger.
    if a_signed:
        out[1] -= _where_negative(a, b)
    if b_signed:
        out[1] -= _where_negative(b, a)
    return out


def _where_negative(sign: Words, value: Words) -> Words:
    masked: Words = (sign.view(np.int64) >> _SHIFT_63).view(np.uint64) & value
    return masked


def _operations() -> dict[Opcode, Operation]:
    table: dict[Opcode, Operation] = {
        Opcode.POPCNT32: _popcnt32,
        Opcode.CLZ32: _clz32,
        Opcode.CTZ32: _ctz32,
        Opcode.AND: np.bitwise_and,
        Opcode.OR: np.bitwise_or,
        Opcode.XOR: np.bitwise_xor,
        Opcode.ROTR64: partial(_rotate, False, 64),
        Opcode.ADD64C: _add64c,
        Opcode.SUB64C: _sub64c,
        Opcode.MUL64C: partial(_multiply128, True, True),
        Opcode.MULSU64C: partial(_multiply128, True, False),
        Opcode.MULU64C: partial(_multiply128, False, False),
    }
    for width in (8, 16):
        table[Opcode[f"POPCNT{width}"]] = partial(_looked_up, _POPCNT[width])
        table[Opcode[f"CLZ{width}"]] = partial(_looked_up, _CLZ[width])
        table[Opcode[f"CTZ{width}"]] = partial(_looked_up, _CTZ[width])
    for width in (16, 32):
        table[Opcode[f"BSWAP{width}"]] = partial(_byte_swap, width)
    for width in (8, 16, 32, 64):
        table[Opcode[f"ADD{width}"]] = partial(_per_lane, np.add, width)
        table[Opcode[f"SUB{width}"]] = partial(_per_lane, np.subtract, width)
        table[Opcode[f"MUL{width}"]] = partial(_per_lane, np.multiply, width)
        table[Opcode[f"SHLL{width}"]] = partial(_shift, np.left_shift, _LANES[width])
        table[Opcode[f"SHRL{width}"]] = partial(_shift, np.right_shift, _LANES[width])
        table[Opcode[f"SHRA{width}"]] = partial(_shift, np.right_shift, _SIGNED[width])
        table[Opcode[f"ROTL{width}"]] = partial(_rotate, True, width)
    for width in (8, 16, 32):
        table[Opcode[f"ADD{width}C"]] = partial(_widening, np.add, width, False, False)
        table[Opcode[f"SUB{width}C"]] = partial(_widening, np.subtract, width, False, False)
        table[Opcode[f"MUL{width}C"]] = partial(_widening, np.multiply, width, True, True)
        table[Opcode[f"MULSU{width}C"]] = partial(_widening, np.multiply, width, True, False)
        table[Opcode[f"MULU{width}C"]] = partial(_widening, np.multiply, width, False, False)
    return table


OPERATIONS: dict[Opcode, Operation] = _operations()
