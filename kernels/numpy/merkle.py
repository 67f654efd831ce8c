"""How the Merkle tree over a table is built, and branches are taken from it (spec 1 §4)."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.protocol.announcement import MERKLE_DEPTH

HASH_WORDS = 8

U64s = npt.NDArray[np.uint64]


class MerkleTree:
    """The tree over the 64-byte hashes of 2^13 items.

    leaf_hashes : (8192, 8) uint64
    """

    def __init__(self, leaf_hashes: U64s, blake: Blake2b) -> None:
        self._levels = list(_levels(leaf_hashes, blake))

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


def _levels(leaf_hashes: U64s, blake: Blake2b) -> Iterator[U64s]:
    level = leaf_hashes
    yield level
    while len(level) > 1:
        pairs = level.reshape(len(level) // 2, 2 * HASH_WORDS)
        level = np.ascontiguousarray(blake.digests(pairs, 64).T)
        yield level


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
