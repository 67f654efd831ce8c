"""A layer of the proof tree against the plain hash of each pair."""

import numpy as np
import pytest

from packetcrypt.kernels.numpy.proof_layer import hash_layer
from packetcrypt.kernels.numpy.threads import Threads
from packetcrypt.protocol.primitives import h32


@pytest.mark.parametrize("nodes", [2, 6, 2 * 4096 + 2])
def test_pairs(nodes: int) -> None:
    rng = np.random.default_rng(nodes)
    hashes = rng.integers(0, 256, (nodes, 32), np.uint8)
    starts = np.sort(rng.integers(0, 2**64, nodes, np.uint64))
    threads = Threads(2)

    parents = hash_layer(hashes, starts, 2**64 - 1, threads.run)
    threads.close()

    bounds = [*starts.tolist(), 2**64 - 1]
    entries = [
        hashes[i].tobytes() + bounds[i].to_bytes(8, "little") + bounds[i + 1].to_bytes(8, "little")
        for i in range(nodes)
    ]
    assert [row.tobytes() for row in parents] == [
        h32(left + right) for left, right in zip(entries[::2], entries[1::2], strict=True)
    ]
