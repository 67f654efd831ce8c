"""The X25519 product in OpenCL against Python's integers and `cryptography`, for every group size
and form of limbs."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.x25519_table import (
    WINDOW,
    WINDOW_ENTRIES,
    WINDOWS,
    build_x25519_table,
)
from packetcrypt.protocol.primitives import x25519, x25519_base

Bytes = npt.NDArray[np.uint8]

P = (1 << 255) - 19
ORDER = (1 << 252) + 27742317777372353535851937790883648493
MONTGOMERY = 1 << 260

BATCH = 40


class Products:
    """The functions under test, for groups of `group` lanes and a form of field25519.cl."""

    def __init__(self, group: int, form: str) -> None:
        device = cl.get_platforms()[0].get_devices()[0]
        self._context = DeviceContext(device, lanes=1 if group == 1 else 16)
        source = (Path(__file__).parent / "x25519_test.cl").read_text()
        self._program = self._context.build_source(
            source, "x25519_test.cl", GROUP=group, FIELD_FORM=form, BATCH=BATCH
        )
        self._table = upload(self._context, build_x25519_table())
        lanes = np.zeros(1, np.uint32)
        self._run("side_lanes", lanes)
        self.lanes = int(lanes[0])

    def _run(
        self,
        kernel: str,
        out: npt.NDArray[np.generic],
        *arguments: cl.Buffer | np.generic,
        work_items: int = 1,
    ) -> None:
        buffer = allocate(self._context, out.nbytes)
        self._context.copy_to_device(buffer, out).wait()
        launch = self._context.kernel(self._program, kernel)
        passed = (*arguments, buffer) if kernel != "x25519_products" else (buffer, *arguments)
        launch(self._context.queue, (work_items,), (1,), *passed)
        download(self._context, buffer, out)

    def field_operations(self, a: Sequence[int], b: Sequence[int]) -> list[list[int]]:
        """For each pair: a + b, a − b, a·b, (a − b)·(a + b), 1/a and a, reduced by the kernel."""
        results: list[list[int]] = []
        for first in range(0, len(a), self.lanes):
            out = np.zeros((self.lanes, 6, 32), np.uint8)
            rows = [
                upload(self._context, encoded(numbers[first : first + self.lanes], self.lanes))
                for numbers in (a, b)
            ]
            self._run("field_operations", out, *rows)
            results += [[int.from_bytes(n.tobytes(), "little") for n in row] for row in out]
        return results[: len(a)]

    def scalar_products(self, a: Sequence[int], b: Sequence[int]) -> npt.NDArray[np.uint32]:
        """(n, WINDOWS) uint32: each product's places in the table."""
        results = []
        for first in range(0, len(a), self.lanes):
            states = np.hstack([encoded(n[first : first + self.lanes], self.lanes) for n in (a, b)])
            out = np.zeros((self.lanes, WINDOWS), np.uint32)
            self._run("scalar_products", out, upload(self._context, states))
            results.append(out)
        return np.concatenate(results)[: len(a)]

    def x25519(self, states: Bytes) -> Bytes:
        """(n, 32) uint8: the products of (n, 96) states."""
        states = states.copy()
        count = np.uint32(len(states))
        work_items = -(-len(states) // BATCH)
        self._run("x25519_products", states, count, self._table, work_items=work_items)
        return states[:, 64:]


def encoded(numbers: Sequence[int], rows: int) -> Bytes:
    """(rows, 32) uint8; a short list is filled up with zeros."""
    padded = [*numbers, *([0] * (rows - len(numbers)))]
    joined = b"".join(n.to_bytes(32, "little") for n in padded)
    return np.frombuffer(joined, np.uint8).reshape(rows, 32)


@pytest.fixture(
    scope="module",
    params=[
        *((group, "MULTIPLY32") for group in (1, 8, 16)),
        *((group, "DOUBLES") for group in (8, 16)),
        *((group, "MADD52") for group in (1, 8, 16)),
    ],
    ids=lambda form: f"group{form[0]}-{form[1]}",
)
def products(request: pytest.FixtureRequest) -> Products:
    return Products(*request.param)


def random_number(seed: object) -> int:
    return int.from_bytes(hashlib.shake_256(repr(seed).encode()).digest(32), "little")


#: Below 2^255; some are not reduced. Full limbs, single limbs, ends of both forms' limbs.
FIELD_EDGES = [
    *(0, 1, 2, 18, 19, 20, P - 1, P, P + 1, P + 18, 2**255 - 20, 2**254),
    *(2**26 - 1, 2**51 - 1, 2**51, 2**52 - 1, 2**204 - 1, 2**230 - 1, 2**255 - 2**230),
    sum((2**26 - 1) << (51 * i) for i in range(5)),
    sum((2**25 - 1) << (51 * i + 26) for i in range(5)),
]
FIELD_NUMBERS = FIELD_EDGES + [random_number(("field", i)) >> 1 for i in range(40)]
FIELD_PAIRS = [(a, b) for a in FIELD_EDGES for b in FIELD_EDGES] + [
    (a, b) for a, b in zip(FIELD_NUMBERS, reversed(FIELD_NUMBERS), strict=True)
]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (0, lambda a, b: a + b),
        (1, lambda a, b: a - b),
        (2, lambda a, b: a * b),
        (3, lambda a, b: (a - b) * (a + b)),
        (4, lambda a, b: pow(a, P - 2, P)),
        (5, lambda a, b: a),
    ],
    ids=["sum", "difference", "product", "product of loose factors", "inverse", "reduced"],
)
def test_field_operations_are_those_modulo_p(
    products: Products, operation: int, expected: Callable[[int, int], int]
) -> None:
    a, b = zip(*FIELD_PAIRS, strict=True)

    results = products.field_operations(a, b)

    assert [row[operation] for row in results] == [expected(*pair) % P for pair in FIELD_PAIRS]


def clamp(scalar: int) -> int:
    return scalar & ~7 & (2**255 - 1) | 2**254


def clamped_factors_of(product: int) -> tuple[int, int]:
    """Two clamped scalars whose product is `product` modulo the order."""
    for a in range(2**254, 2**255, 8):
        b = product * pow(a, -1, ORDER) % ORDER
        for multiple in range(8):
            if (scalar := b + multiple * ORDER) % 8 == 0 and scalar >> 254 == 1:
                return a, scalar
    raise AssertionError


#: What is left after Montgomery's division is cut into digits: these have carries all the way,
#: none, digits of one half, and lie on both sides of where the order is subtracted.
QUOTIENTS = [
    *(1, 2, 2047, 2048, 2049, 4095, 4096, 2**251 - 1, 2**251, 2**251 + 1, ORDER - 1, ORDER - 2),
    *(ORDER // 2, ORDER // 2 + 1, 2**250, ORDER - 2**240, ORDER - 2**239, 2**252 - 1),
    sum(2048 << (12 * i) for i in range(20)),
    sum(2049 << (12 * i) for i in range(20)),
    sum(2047 << (12 * i) for i in range(21)),
]
EDGE_SCALARS = [
    *(0, 1, 7, 8, 9, 2**254, 2**255 - 1, 2**255, 2**256 - 1, ORDER, 8 * ORDER, 8 * ORDER - 1),
    *(4 * ORDER, 5 * ORDER, 6 * ORDER, 7 * ORDER, 7 * ORDER + 1, P - 1, P, P + 1),
    # The u-coordinates of points of low order are scalars like others here.
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]
SCALAR_PAIRS = [
    *(clamped_factors_of(quotient * MONTGOMERY) for quotient in QUOTIENTS),
    *((a, b) for a in EDGE_SCALARS for b in EDGE_SCALARS),
    *((random_number(("a", i)), random_number(("b", i))) for i in range(4096)),
]


def test_entries_sum_up_to_the_product_of_the_scalars(products: Products) -> None:
    pairs = SCALAR_PAIRS[:1000]
    a, b = zip(*pairs, strict=True)

    entries = products.scalar_products(a, b).astype(np.int64)

    magnitudes = entries // 128 - WINDOW_ENTRIES * np.arange(WINDOWS)
    assert magnitudes.min() == 0
    assert magnitudes.max() == WINDOW_ENTRIES - 1
    assert set(np.unique(entries % 128)) == {0, 32}
    digits = np.where(entries % 128, -magnitudes, magnitudes)
    sums = [sum(int(d) << (WINDOW * i) for i, d in enumerate(row)) for row in digits]
    assert [n * MONTGOMERY % ORDER for n in sums] == [clamp(x) * clamp(y) % ORDER for x, y in pairs]


@pytest.fixture(scope="module")
def scalar_states() -> Bytes:
    states = np.random.default_rng(3).integers(0, 256, (len(SCALAR_PAIRS), 96), dtype=np.uint8)
    states[:, :32] = encoded([a for a, _ in SCALAR_PAIRS], len(states))
    states[:, 32:64] = encoded([b for _, b in SCALAR_PAIRS], len(states))
    return states


@pytest.fixture(scope="module")
def plain_products() -> list[bytes]:
    pairs = [(a.to_bytes(32, "little"), b.to_bytes(32, "little")) for a, b in SCALAR_PAIRS]
    return [x25519(a, x25519_base(b)) for a, b in pairs]


def test_products_are_those_of_two_ladders(
    products: Products, scalar_states: Bytes, plain_products: list[bytes]
) -> None:
    results = products.x25519(scalar_states)

    assert [row.tobytes() for row in results] == plain_products


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 39, 40, 41])
def test_batches_may_be_incomplete(
    products: Products, scalar_states: Bytes, plain_products: list[bytes], count: int
) -> None:
    results = products.x25519(scalar_states[:count])

    assert [row.tobytes() for row in results] == plain_products[:count]
