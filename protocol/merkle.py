"""How the Merkle tree over a job's first table is built and checked (spec 1 §4)."""

from collections.abc import Iterable, Sequence

from packetcrypt.protocol.primitives import h64


class MerkleTree:
    """The tree over leaf hashes of 64 bytes, a power of two of them.

    levels : from the leaves up to the root
    """

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        self.levels: list[list[bytes]] = [list(leaf_hashes)]
        while len(level := self.levels[-1]) > 1:
            self.levels.append([h64(a + b) for a, b in zip(level[::2], level[1::2], strict=True)])

    @classmethod
    def of_items(cls, items: Iterable[bytes]) -> "MerkleTree":
        """The tree whose leaves are the items of a table."""
        return cls(h64(item) for item in items)

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def branch(self, index: int) -> list[bytes]:
        """The siblings on the way from leaf `index` to the root, leaf level first."""
        return [level[index >> depth ^ 1] for depth, level in enumerate(self.levels[:-1])]


def branch_root(leaf_hash: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    """The root that a leaf at `index` and its siblings lead to."""
    node = leaf_hash
    for depth, sibling in enumerate(siblings):
        node = h64(sibling + node) if index >> depth & 1 else h64(node + sibling)
    return node
