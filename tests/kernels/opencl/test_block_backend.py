"""OpenCLBlockKernels: known blocks, then searches over made-up stores against protocol/."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest
from vector_files import load_vectors

from packetcrypt.kernels.announcement_store import allocate_store
from packetcrypt.kernels.block_interface import FoundHashes
from packetcrypt.kernels.opencl import block_backend
from packetcrypt.kernels.opencl.announcement_rows import CopiedRows
from packetcrypt.kernels.opencl.block_backend import OpenCLBlockKernels
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32

EASIEST = 0x207FFFFF
HEADER = bytes(range(80))
CAPACITY = 1000

#: A batch that is no multiple of a group, and more nonces in a launch than its work-items can take
#: at once.
TUNINGS = {
    16: Tuning(batch=40, work_items=2, rounds=50),
    1: Tuning(batch=3, work_items=2, rounds=666),
}


def device() -> cl.Device:
    return cl.get_platforms()[0].get_devices()[0]


@pytest.fixture(scope="module")
def store() -> npt.NDArray[np.uint8]:
    store = allocate_store(CAPACITY)
    store[:] = np.random.default_rng(1).integers(0, 256, store.shape, dtype=np.uint8)
    return store


@pytest.fixture(scope="module", params=[16, 1], ids=lambda lanes: f"lanes{lanes}")
def lanes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def kernels(store: npt.NDArray[np.uint8], lanes: int) -> Iterator[OpenCLBlockKernels]:
    kernels = OpenCLBlockKernels(device(), store, TUNINGS[lanes], lanes=lanes)
    yield kernels
    kernels.close()


def find(
    kernels: OpenCLBlockKernels,
    rows: npt.NDArray[np.uint32],
    nonces: range,
    target: int = EASIEST,
    header: bytes = HEADER,
) -> FoundHashes:
    loaded = kernels.load_set(rows, 0)
    return kernels.search(loaded, h32(header), target, nonces.start, len(nonces)).result()


def pairs(found: FoundHashes) -> list[tuple[int, bytes]]:
    hashes = [row.tobytes() for row in found.work_hashes]
    return list(zip(found.low_nonces.tolist(), hashes, strict=True))


def plain_finds(
    store: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.uint32],
    nonces: range,
    target: int = EASIEST,
) -> list[tuple[int, bytes]]:
    """What protocol/ finds."""

    def announcement(number: int) -> bytes:
        return store[rows[number % len(rows)]].tobytes()

    hashes = [(nonce, block_work_hash(HEADER, nonce, announcement).work_hash) for nonce in nonces]
    return [(nonce, work_hash) for nonce, work_hash in hashes if meets(work_hash, target)]


@pytest.mark.parametrize("case", load_vectors("blocks"), ids=lambda case: case["result"])
def test_known_blocks_are_found(lanes: int, case: dict[str, Any]) -> None:
    """With the four announcements at their indexes; the others of the 180 play no part."""
    header, nonce = bytes.fromhex(case["header"]), case["nonce2"]
    rows = np.arange(case["ann_count"], dtype=np.uint32)
    store = np.zeros((CAPACITY, 1024), np.uint8)
    for index, announcement in zip(case["ann_indexes"], case["anns"], strict=True):
        store[index] = np.frombuffer(bytes.fromhex(announcement), np.uint8)
    kernels = OpenCLBlockKernels(device(), store, TUNINGS[lanes], lanes=lanes)

    found = find(kernels, rows, range(nonce, nonce + 1), header=header)

    kernels.close()
    assert pairs(found) == [(nonce, bytes.fromhex(case["work_hash"]))]


@pytest.mark.parametrize("count", [1, 2, 3, 255, 777, 1000])
def test_finds_are_those_of_the_plain_protocol(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8], count: int
) -> None:
    rows = np.random.default_rng(count).permutation(CAPACITY)[:count].astype(np.uint32)

    found = find(kernels, rows, range(100))

    assert pairs(found) == plain_finds(store, rows, range(100))


@pytest.mark.parametrize("target", [0x207FFFFF, 0x200FFFFF, 0x2001FFFF, 0x20000001])
def test_finds_are_below_the_target(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8], target: int
) -> None:
    rows = np.arange(CAPACITY, dtype=np.uint32)

    found = find(kernels, rows, range(300), target)

    assert pairs(found) == plain_finds(store, rows, range(300), target)


@pytest.mark.parametrize(
    "nonces",
    [range(1), range(7, 8), range(37, 100), range(2**31 - 5, 2**31 + 50), range(2**32 - 70, 2**32)],
    ids=str,
)
def test_a_launch_may_begin_anywhere_and_have_any_length(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8], nonces: range
) -> None:
    rows = np.arange(CAPACITY, dtype=np.uint32)

    found = find(kernels, rows, nonces)

    assert pairs(found) == plain_finds(store, rows, nonces)


def test_a_launch_may_find_more_than_is_copied_at_once(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8]
) -> None:
    rows = np.arange(CAPACITY, dtype=np.uint32)

    found = find(kernels, rows, range(1000))

    assert len(found.low_nonces) > 256
    assert pairs(found) == plain_finds(store, rows, range(1000))


def test_nothing_found_is_an_empty_result(kernels: OpenCLBlockKernels) -> None:
    found = find(kernels, np.arange(3, dtype=np.uint32), range(50), 0x10000001)

    assert found.low_nonces.shape == (0,)
    assert found.work_hashes.shape == (0, 32)


def test_two_sets_are_searched_in_turns(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8]
) -> None:
    rows = [np.arange(10, dtype=np.uint32), np.arange(10, 25, dtype=np.uint32)]
    loaded = [kernels.load_set(rows[slot], slot) for slot in range(2)]
    launches = [
        kernels.search(loaded[slot], h32(HEADER), EASIEST, 10 * slot, 40) for slot in range(2)
    ]

    found = [pairs(launch.result()) for launch in launches]

    assert [one.count for one in loaded] == [10, 15]
    assert found == [
        plain_finds(store, rows[slot], range(10 * slot, 10 * slot + 40)) for slot in (0, 1)
    ]


def test_written_rows_are_searched_with(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8]
) -> None:
    rows = np.arange(5, dtype=np.uint32)
    find(kernels, rows, range(20))
    before = store[3].copy()
    store[3] = np.arange(1024) % 253
    kernels.rows_written(3, 1)

    found = find(kernels, rows, range(20))
    expected = plain_finds(store, rows, range(20))

    store[3] = before
    kernels.rows_written(3, 1)
    assert pairs(found) == expected


def test_a_device_with_memory_of_its_own_searches_a_copy(
    lanes: int, store: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In four buffers: rows of all of them are drawn."""
    monkeypatch.setattr(block_backend, "announcement_rows", CopiedRows)
    copying = OpenCLBlockKernels(device(), store, TUNINGS[lanes], lanes=lanes)
    copying.rows_written(0, 600)
    copying.rows_written(600, 400)
    rows = np.arange(CAPACITY, dtype=np.uint32)

    found = find(copying, rows, range(60))

    copying.close()
    assert pairs(found) == plain_finds(store, rows, range(60))


def test_hashes_come_from_the_same_store(
    kernels: OpenCLBlockKernels, store: npt.NDArray[np.uint8]
) -> None:
    hashes = kernels.hash_rows(5, 3)
    parent = kernels.hash_layer(hashes[:2], np.array([1, 2], np.uint64), 3)

    assert [row.tobytes() for row in hashes] == [h32(store[row].tobytes()) for row in (5, 6, 7)]
    left, right = (
        hashes[i].tobytes() + (i + 1).to_bytes(8, "little") + (i + 2).to_bytes(8, "little")
        for i in range(2)
    )
    assert parent.tobytes() == h32(left + right)


@pytest.mark.parametrize(("first", "count"), [(0, 0), (0, 4001), (2**32 - 5, 6)])
def test_impossible_ranges_are_refused(kernels: OpenCLBlockKernels, first: int, count: int) -> None:
    loaded = kernels.load_set(np.arange(3, dtype=np.uint32), 0)

    with pytest.raises(DeviceError, match="low nonces"):
        kernels.search(loaded, bytes(32), EASIEST, first, count)


def test_a_launch_too_many_is_refused(kernels: OpenCLBlockKernels) -> None:
    loaded = kernels.load_set(np.arange(3, dtype=np.uint32), 0)
    launches = [kernels.search(loaded, bytes(32), EASIEST, 0, 1) for _ in range(kernels.LAUNCHES)]

    with pytest.raises(DeviceError, match="outstanding"):
        kernels.search(loaded, bytes(32), EASIEST, 0, 1)

    for launch in launches:
        launch.result()


def test_a_set_of_another_backend_is_refused(kernels: OpenCLBlockKernels) -> None:
    class Other:
        count = 3

    with pytest.raises(DeviceError, match="Other is no set loaded by OpenCL"):
        kernels.search(Other(), bytes(32), EASIEST, 0, 1)


def test_closing_twice_is_harmless(store: npt.NDArray[np.uint8]) -> None:
    kernels = OpenCLBlockKernels(device(), store)

    kernels.close()
    kernels.close()
