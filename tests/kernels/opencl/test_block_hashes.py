"""H32 of announcements and of the proof tree's pairs in OpenCL, against hashlib."""

import hashlib
import struct

import numpy as np
import pytest

from packetcrypt.kernels.opencl import block_hashes
from packetcrypt.kernels.opencl.announcement_rows import CopiedRows, SharedRows
from packetcrypt.kernels.opencl.block_hashes import BlockHashes
from packetcrypt.kernels.opencl.context import DeviceContext

STORE = np.random.default_rng(1).integers(0, 256, (100, 1024), dtype=np.uint8)

LAST = (1 << 64) - 1


def h32(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


@pytest.fixture(scope="module", params=["one launch", "several launches"])
def hashes(context: DeviceContext, request: pytest.FixtureRequest) -> BlockHashes:
    made = pytest.MonkeyPatch()
    if request.param == "several launches":
        made.setattr(block_hashes, "_ROWS_A_LAUNCH", 5)
        made.setattr(block_hashes, "_PAIRS_A_LAUNCH", 7)
    hashes = BlockHashes(context, SharedRows(STORE))
    made.undo()
    return hashes


@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 100), (99, 1), (5, 2), (3, 17), (7, 0)])
def test_rows_are_hashed_as_announcements(hashes: BlockHashes, first: int, count: int) -> None:
    found = hashes.rows(first, count)

    assert [row.tobytes() for row in found] == [
        h32(row.tobytes()) for row in STORE[first : first + count]
    ]


def test_rows_of_a_copied_store_are_hashed_alike(context: DeviceContext) -> None:
    """100 rows are parts of 32: the ranges end with each of them and begin again."""
    rows = CopiedRows(context, STORE)
    rows.written(0, 40)
    rows.written(40, 60)
    hashes = BlockHashes(context, rows)

    found = [hashes.rows(first, count) for first, count in ((0, 32), (32, 64), (96, 4))]

    assert [row.tobytes() for row in np.concatenate(found)] == [h32(row.tobytes()) for row in STORE]


@pytest.mark.parametrize("nodes", [2, 4, 6, 8, 18, 98])
def test_layers_are_hashes_of_pairs(hashes: BlockHashes, nodes: int) -> None:
    random = np.random.default_rng(nodes)
    below = random.integers(0, 256, (nodes, 32), dtype=np.uint8)
    starts = np.sort(random.integers(0, LAST, nodes, dtype=np.uint64))
    bounds = [*starts.tolist(), LAST]

    layer = hashes.layer(below, starts, LAST)

    encoded = [
        node.tobytes() + struct.pack("<QQ", bounds[i], bounds[i + 1])
        for i, node in enumerate(below)
    ]
    assert [row.tobytes() for row in layer] == [
        h32(left + right) for left, right in zip(encoded[::2], encoded[1::2], strict=True)
    ]
