"""The self-test of block kernels: sound devices pass, each kind of error is found."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from packetcrypt.engine.block_selftest import (
    KNOWN_SEARCHES,
    TEST_ROWS,
    KnownSearch,
    block_self_test,
    write_test_rows,
)
from packetcrypt.engine.device_info import DeviceInfo, numpy_device
from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.opening import open_block_kernels
from packetcrypt.kernels.announcement_store import allocate_store
from packetcrypt.kernels.block_interface import BlockKernels, BlockLaunch, FoundHashes
from packetcrypt.kernels.opencl import block_backend
from packetcrypt.kernels.opencl.announcement_rows import CopiedRows
from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32


@pytest.fixture(scope="module")
def store() -> np.ndarray:
    store = allocate_store(100 + TEST_ROWS)
    write_test_rows(store)
    return store


@pytest.mark.parametrize("known", KNOWN_SEARCHES, ids=["whole", "part"])
def test_the_known_searches_are_those_of_the_protocol(
    known: KnownSearch, store: np.ndarray
) -> None:
    found = []
    for nonce in range(known.first, known.first + known.count):
        state = cryptocycle.init(known.header_hash, nonce)
        for _ in range(4):
            row = known.rows[cryptocycle.item_number(state) % len(known.rows)]
            cryptocycle.update(state, store[100 + row].tobytes())
        cryptocycle.smul(state)
        cryptocycle.final(state)
        if meets(state[:32], known.target):
            found.append((nonce, bytes(state[:32])))
    assert tuple(nonce for nonce, _ in found) == known.low_nonces
    assert h32(b"".join(work_hash for _, work_hash in found)) == known.hashes_hash


@pytest.mark.parametrize("device", ["cpu", "numpy"])
def test_devices_pass(device: str, store: np.ndarray) -> None:
    (info,) = select_devices(device)
    with closing(open_block_kernels(info, store)) as kernels:
        block_self_test(kernels, store, info)


def test_a_device_that_copies_the_rows_is_told_of_them(
    store: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_backend, "announcement_rows", CopiedRows)
    (info,) = select_devices("cpu")
    with closing(open_block_kernels(info, store)) as kernels:
        block_self_test(kernels, store, info)


@pytest.fixture
def device() -> DeviceInfo:
    return numpy_device()


@pytest.fixture
def kernels(device: DeviceInfo, store: np.ndarray) -> Iterator[BlockKernels]:
    with closing(open_block_kernels(device, store, 1)) as kernels:
        yield kernels


def test_wrong_hashes_of_rows(kernels: BlockKernels, store: np.ndarray, device: DeviceInfo) -> None:
    hash_rows = kernels.hash_rows

    def shifted(first: int, count: int) -> np.ndarray:
        return hash_rows(first - 1, count)

    kernels.hash_rows = shifted  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match="hashes announcements wrongly"):
        block_self_test(kernels, store, device)


def test_a_wrong_layer(kernels: BlockKernels, store: np.ndarray, device: DeviceInfo) -> None:
    hash_layer = kernels.hash_layer

    def without_end(hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
        return hash_layer(hashes, starts, 0)

    kernels.hash_layer = without_end  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match="layer of the proof tree"):
        block_self_test(kernels, store, device)


class AlteredLaunch:
    """A real launch whose finds are altered."""

    def __init__(self, real: BlockLaunch, alter: Callable[[FoundHashes], FoundHashes]) -> None:
        self._real = real
        self._alter = alter

    def result(self) -> FoundHashes:
        return self._alter(self._real.result())


def miss_one(found: FoundHashes) -> FoundHashes:
    return FoundHashes(found.low_nonces[1:], found.work_hashes[1:])


def corrupt_one(found: FoundHashes) -> FoundHashes:
    work_hashes = found.work_hashes.copy()
    work_hashes[-1, 0] ^= 1
    return replace(found, work_hashes=work_hashes)


@pytest.mark.parametrize(
    ("alter", "what"),
    [(miss_one, "low nonces in dispute"), (corrupt_one, "work hashes .* are wrong")],
)
def test_wrong_finds(
    kernels: BlockKernels,
    store: np.ndarray,
    device: DeviceInfo,
    alter: Callable[[FoundHashes], FoundHashes],
    what: str,
) -> None:
    search = kernels.search
    kernels.search = lambda *args: AlteredLaunch(search(*args), alter)  # type: ignore[assignment, method-assign]
    with pytest.raises(DeviceError, match=what):
        block_self_test(kernels, store, device)
