"""How the Merkle tree over a table is built, and branches are taken from it (spec 1 §4)."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.protocol.announcement import MERKLE_DEPTH

HASH_WORDS = 8
NODES = (2 << MERKLE_DEPTH) - 1
"""of a whole tree, leaves and root included"""

U64s = npt.NDArray[np.uint64]


class MerkleTree:
    """The tree over the 64-byte hashes of 2^13 items.

    Write them to `leaf_hashes`, then `build`.

    nodes : (NODES, 8) uint64, the room for all of it; new memory if None
    """

    def __init__(self, nodes: U64s | None = None) -> None:
        if nodes is None:
            nodes = np.empty((NODES, HASH_WORDS), np.uint64)
        sizes = [1 << depth for depth in reversed(range(MERKLE_DEPTH + 1))]
        self._levels = np.split(nodes, np.cumsum(sizes)[:-1])

    @property
    def leaf_hashes(self) -> U64s:
        """The lowest level: (8192, 8) uint64."""
        return self._levels[0]

    def build(self, blake: Blake2b) -> None:
        """Make the levels above the leaves."""
        for level, above in pairwise(self._levels):
            pairs = level.reshape(len(above), 2 * HASH_WORDS)
            above[:] = blake.digests(pairs, 64).T

    @property
    def root(self) -> bytes:
        """64 bytes."""
        return self._levels[-1].tobytes()

    def branches(self, leaves: npt.NDArray[np.intp]) -> U64s:
        """The siblings on the ways from n leaves to the root, leaves first: (n, 13, 8) uint64."""
        siblings = np.empty((len(leaves), MERKLE_DEPTH, HASH_WORDS), np.uint64)
        for depth, level in enumerate(self._levels[:-1]):
            siblings[:, depth] = level[leaves >> depth ^ 1]
        return siblings


def branch_roots(
    leaf_hashes: U64s, leaves: npt.NDArray[np.intp], siblings: U64s, blake: Blake2b
) -> U64s:
    """The roots that n leaves and their siblings lead to: (n, 8) uint64.

    leaf_hashes : (n, 8) uint64; leaves : (n,) their indexes; siblings : (n, 13, 8) uint64
    """
    node = leaf_hashes
    for depth in range(MERKLE_DEPTH):
        is_right = (leaves >> depth & 1).astype(np.bool_)[:, None]
        left = np.where(is_right, siblings[:, depth], node)
        right = np.where(is_right, node, siblings[:, depth])
        node = blake.digests(np.concatenate([left, right], axis=1), 64).T
    return node
