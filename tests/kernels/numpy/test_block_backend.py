"""The NumPy backend of block mining as the engine drives it, against the plain block hash."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from packetcrypt.kernels.block_interface import FoundHashes
from packetcrypt.kernels.numpy.block_backend import NumpyBlockKernels
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32

EASIEST = 0x207FFFFF
EASY = 0x2007FFFF
HARD = 0x1D00FFFF
CAPACITY = 300


@pytest.fixture(scope="module")
def store() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (CAPACITY, 1024), np.uint8)


@pytest.fixture(scope="module")
def kernels(store: np.ndarray) -> Iterator[NumpyBlockKernels]:
    with closing(NumpyBlockKernels(store, threads=2)) as kernels:
        yield kernels


def rows_of_set(count: int) -> np.ndarray:
    return np.random.default_rng(2).permutation(CAPACITY)[:count].astype(np.uint32)


HEADER = bytes(range(80))


def plain_search(
    store: np.ndarray, rows: np.ndarray, target: int, first: int, count: int
) -> list[tuple[int, bytes]]:
    found = []
    for nonce in range(first, first + count):
        made = block_work_hash(HEADER, nonce, lambda n: store[rows[n % len(rows)]].tobytes())
        if meets(made.work_hash, target):
            found.append((nonce, made.work_hash))
    return found


def pairs(found: FoundHashes) -> list[tuple[int, bytes]]:
    hashes = [row.tobytes() for row in found.work_hashes]
    return list(zip(found.low_nonces.tolist(), hashes, strict=True))


@pytest.mark.parametrize("target", [EASIEST, EASY, HARD])
@pytest.mark.parametrize(
    ("first", "count"), [(0, 1), (1, 700), (2**32 - 300, 300)], ids=["0", "1-700", "last 300"]
)
@pytest.mark.parametrize("announcements", [1, 7, CAPACITY])
def test_finds_what_the_plain_search_finds(
    store: np.ndarray,
    kernels: NumpyBlockKernels,
    announcements: int,
    first: int,
    count: int,
    target: int,
) -> None:
    rows = rows_of_set(announcements)
    loaded = kernels.load_set(rows, 0)

    found = kernels.search(loaded, h32(HEADER), target, first, count).result()

    assert loaded.count == announcements
    assert pairs(found) == plain_search(store, rows, target, first, count)


def test_two_sets_are_loaded_at_a_time(store: np.ndarray, kernels: NumpyBlockKernels) -> None:
    first, second = rows_of_set(20), rows_of_set(200)
    loaded = [kernels.load_set(first, 0), kernels.load_set(second, 1)]
    found = [kernels.search(one, h32(HEADER), EASY, 0, 300).result() for one in loaded]
    assert [pairs(one) for one in found] == [
        plain_search(store, rows, EASY, 0, 300) for rows in (first, second)
    ]


def test_rows_are_read_in_place(store: np.ndarray, kernels: NumpyBlockKernels) -> None:
    loaded = kernels.load_set(np.array([5], np.uint32), 0)
    before = pairs(kernels.search(loaded, h32(HEADER), EASIEST, 0, 50).result())
    store[5] ^= 1
    kernels.rows_written(5, 1)
    after = pairs(kernels.search(loaded, h32(HEADER), EASIEST, 0, 50).result())
    assert before != after == plain_search(store, np.array([5]), EASIEST, 0, 50)


def test_hashes_of_rows(store: np.ndarray, kernels: NumpyBlockKernels) -> None:
    hashes = kernels.hash_rows(10, 5)
    assert [row.tobytes() for row in hashes] == [h32(row.tobytes()) for row in store[10:15]]


def test_a_cancelled_search_finds_nothing(kernels: NumpyBlockKernels) -> None:
    loaded = kernels.load_set(rows_of_set(5), 0)
    found = kernels.search(loaded, h32(HEADER), EASIEST, 0, kernels.max_launch, lambda: True)
    assert pairs(found.result()) == []


@pytest.mark.parametrize(
    ("first", "count"), [(0, 0), (0, -1), (0, None), (2**32 - 5, 6), (2**32, 1), (-1, 1)]
)
def test_impossible_ranges_are_refused(
    kernels: NumpyBlockKernels, first: int, count: int | None
) -> None:
    loaded = kernels.load_set(rows_of_set(5), 0)
    with pytest.raises(DeviceError, match="a launch searches 1 to"):
        kernels.search(
            loaded, bytes(32), EASY, first, kernels.max_launch + 1 if count is None else count
        )


def test_a_set_of_another_backend_is_refused(kernels: NumpyBlockKernels) -> None:
    class Foreign:
        count = 5

    with pytest.raises(DeviceError, match="no set loaded by NumPy"):
        kernels.search(Foreign(), bytes(32), EASY, 0, 1)


def test_close_twice(store: np.ndarray) -> None:
    kernels = NumpyBlockKernels(store, threads=1)
    kernels.close()
    kernels.close()
