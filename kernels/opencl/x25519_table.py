"""Which multiples of the base point the X25519 products of base_table.cl are summed from.

The table is computed anew at each start: it takes a fraction of a second, and nothing can go stale.
"""

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

#: base_table.cl
WINDOW: Final = 12
WINDOWS: Final = -(-252 // WINDOW)
WINDOW_ENTRIES: Final = (1 << (WINDOW - 1)) + 1

_P: Final = (1 << 255) - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493

#: RFC 8032's base point: its Montgomery form has u = 9.
_BASE: Final = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)

#: scalar25519.cl multiplies in Montgomery's way, which divides by this.
_MONTGOMERY: Final = (1 << 260) % _ORDER

_Point = tuple[int, int]


@functools.cache
def build_x25519_table() -> npt.NDArray[np.uint8]:
    """(WINDOWS, WINDOW_ENTRIES, 4, 32) uint8: for window w and n = 0, 1, … the point n·2^(12w)·B.

    B is 2^260·G; a point is y + x, y − x, 2dxy and −2dxy modulo 2^255 − 19, little-endian.
    """
    base = _multiply(_MONTGOMERY, _BASE)
    numbers: list[int] = []
    for _ in range(WINDOWS):
        multiples = _multiples(base, WINDOW_ENTRIES - 1)
        for x, y in multiples:
            product = 2 * _D * x * y % _P
            numbers += ((y + x) % _P, (y - x) % _P, product, -product % _P)
        # The next window's base is twice this window's last multiple.
        base = _sums([multiples[-1]], multiples[-1])[0]
    encoded = b"".join(number.to_bytes(32, "little") for number in numbers)
    return np.frombuffer(encoded, np.uint8).reshape(WINDOWS, WINDOW_ENTRIES, 4, 32)


def _multiples(point: _Point, last: int) -> list[_Point]:
    """0·point, 1·point, … last·point; `last` is a power of two."""
    multiples = [(0, 1), point]
    while len(multiples) <= last:
        multiples += _sums(multiples[1:], multiples[-1])
    return multiples


def _multiply(scalar: int, point: _Point) -> _Point:
    result = (0, 1)
    for bit in f"{scalar:b}":
        result = _sums([result], result)[0]
        if bit == "1":
            result = _sums([result], point)[0]
    return result


def _sums(points: list[_Point], other: _Point) -> list[_Point]:
    """Each of the points plus the other, on −x² + y² = 1 + dx²y²; one inversion for all."""
    x2, y2 = other
    numerators: list[int] = []
    denominators: list[int] = []
    for x1, y1 in points:
        xy, yx = x1 * y2 % _P, y1 * x2 % _P
        numerators += (xy + yx, y1 * y2 + x1 * x2)
        product = _D * xy * yx % _P
        denominators += (1 + product, 1 - product)
    quotients = [n * i % _P for n, i in zip(numerators, _inverses(denominators), strict=True)]
    return list(zip(quotients[::2], quotients[1::2], strict=True))


def _inverses(numbers: list[int]) -> list[int]:
    """1/n of each number modulo p, none of them 0 (Montgomery's trick)."""
    before, product = [], 1
    for number in numbers:
        before.append(product)
        product = product * number % _P
    inverse = pow(product, -1, _P)
    inverses = []
    for number, earlier in zip(reversed(numbers), reversed(before), strict=True):
        inverses.append(inverse * earlier % _P)
        inverse = inverse * number % _P
    return inverses[::-1]
