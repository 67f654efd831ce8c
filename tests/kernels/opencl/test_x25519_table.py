"""The table of the base point's multiples: its form, and its points against `cryptography`."""

from collections.abc import Iterator
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from packetcrypt.kernels.opencl.x25519_table import WINDOW, build_x25519_table
from packetcrypt.protocol.primitives import x25519, x25519_base

P = (1 << 255) - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = (1 << 252) + 27742317777372353535851937790883648493


@pytest.fixture(scope="module")
def table() -> npt.NDArray[np.uint8]:
    return build_x25519_table()


def numbers(entry: npt.NDArray[np.uint8]) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in entry]


def point(entry: npt.NDArray[np.uint8]) -> tuple[int, int]:
    total, difference, _, _ = numbers(entry)
    half = pow(2, -1, P)
    return (total - difference) * half % P, (total + difference) * half % P


def clamped(value: int) -> bytes | None:
    """A scalar that is `value` modulo the order and that clamping leaves alone, if there is one."""
    for multiple in range(8):
        scalar = value % ORDER + multiple * ORDER
        if scalar % 8 == 0 and scalar >> 254 == 1:
            return scalar.to_bytes(32, "little")
    return None


def random_scalars() -> Iterator[int]:
    """Clamped ones. (Neighbours would not do: their products with small multiples are alike.)"""
    random = Random(1)
    while True:
        yield random.randrange(1 << 254, 1 << 255, 8)


ENTRIES = [(0, 1), (0, 2), (0, 2048), (1, 1), (1, 777), (9, 2047), (20, 1), (20, 2048)]


@pytest.mark.parametrize(("window", "multiple"), ENTRIES)
def test_points_are_the_multiples_that_they_stand_for(
    table: npt.NDArray[np.uint8], window: int, multiple: int
) -> None:
    """c·point by `cryptography`, for a scalar c such that it has a name as a multiple of G too."""
    scalar = (multiple << (WINDOW * window + 260)) % ORDER
    factor, product = next(
        (factor.to_bytes(32, "little"), name)
        for factor in random_scalars()
        if (name := clamped(factor * scalar))
    )
    _, y = point(table[window, multiple])
    u = (1 + y) * pow(1 - y, -1, P) % P

    assert x25519(factor, u.to_bytes(32, "little")) == x25519_base(product)


@pytest.mark.parametrize(("window", "multiple"), ENTRIES)
def test_entries_hold_both_signs_of_a_point_of_the_curve(
    table: npt.NDArray[np.uint8], window: int, multiple: int
) -> None:
    x, y = point(table[window, multiple])

    assert (y * y - x * x) % P == (1 + D * x * x * y * y) % P
    product = 2 * D * x * y % P
    assert numbers(table[window, multiple])[2:] == [product, P - product]


def test_the_multiple_0_is_the_neutral_element(table: npt.NDArray[np.uint8]) -> None:
    assert [numbers(entry) for entry in table[:, 0]] == [[1, 1, 0, 0]] * len(table)
