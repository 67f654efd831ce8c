"""How it is proved that four announcements stand in a block's set (spec 1 §5 "Proof tree").

Entry 0 goes from key 0 to the first key; announcement i is entry i+1. A proof has what must be
known beside the four to rebuild the root. Whoever draws a number cannot answer with another
announcement than the one that the root commits to.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.proof_nodes import (
    HASH_SIZE,
    MAX_KEY,
    PAD,
    U64_SIZE,
    Node,
    Paths,
    ProofError,
    key_of,
    parent,
    u64,
)

__all__ = [
    "ProofError",
    "ProofTree",
    "TreeNodes",
    "create_proof",
    "hash_proof",
    "layer_sizes",
    "root_hash",
]


class TreeNodes(Protocol):
    """A whole tree, however it is stored. Layer 0 has the entries; pads are nodes like others."""

    @property
    def count(self) -> int:
        """How many announcements it is over."""
        ...

    def hash_of(self, layer: int, index: int) -> bytes:
        """32 bytes."""
        ...

    def start_of(self, layer: int, index: int) -> int:
        """The key where a node starts."""
        ...

    def end_of(self, layer: int, index: int) -> int:
        """The key where a node ends."""
        ...


def layer_sizes(count: int) -> tuple[int, ...]:
    """Nodes of each layer of a tree over `count` announcements, pads included, entries first.

    The last one is 1, the root; all others are even.
    """
    sizes = []
    size = count + 1
    while size > 1:
        size += size % 2
        sizes.append(size)
        size //= 2
    return (*sizes, 1)


def root_hash(root_entry: bytes) -> bytes:
    """What a block commits to: H32 of the tree's last entry, 48 bytes."""
    return h32(root_entry)


class ProofTree:
    """A tree in memory, for small sets; large ones are built by the engine (`TreeNodes`).

    leaf_hashes : H32 of each announcement, ascending by dedup key, no key twice; `ProofError` for
                  another order, none at all, and the keys 0 and 2^64−1
    """

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        if not leaf_hashes:
            raise ProofError("a proof tree is over at least one announcement: give some")
        starts = [0, *map(key_of, leaf_hashes)]
        ends = [*starts[1:], MAX_KEY]
        for start, end in zip(starts, ends, strict=True):
            if start >= end:
                raise ProofError(
                    f"the dedup keys {start} and {end} do not ascend: sort by key, "
                    "keep one of equal keys, leave out 0 and 2^64-1"
                )
        layer = list(map(Node, [bytes(HASH_SIZE), *leaf_hashes], starts, ends))
        self._layers = [layer]
        while len(layer) > 1:
            if len(layer) % 2:
                layer.append(PAD)
            layer = list(map(parent, layer[::2], layer[1::2]))
            self._layers.append(layer)
        self.count = len(leaf_hashes)

    @property
    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        return root_hash(self._layers[-1][0].encode())

    def hash_of(self, layer: int, index: int) -> bytes:
        """32 bytes."""
        return self._layers[layer][index].hash

    def start_of(self, layer: int, index: int) -> int:
        """The key where a node starts."""
        return self._layers[layer][index].start

    def end_of(self, layer: int, index: int) -> int:
        """The key where a node ends."""
        return self._layers[layer][index].end

    def prove(self, indexes: Sequence[int]) -> bytes:
        """The proof of the announcements at these indexes (`create_proof`)."""
        return create_proof(self, indexes)


def create_proof(tree: TreeNodes, indexes: Sequence[int]) -> bytes:
    """The proof of the announcements at these indexes (0 ≤ index < count; repeats are fine).

    Looks at O(log count) nodes of the tree. Raises ValueError for other indexes, or none.
    """
    paths = Paths(tree.count, indexes)

    def pieces(layer: int, index: int) -> Iterator[bytes]:
        if paths.is_pad(layer, index):
            return
        computable = paths.is_computable(layer, index)
        # A leaf's hash tells its start, and a right leaf's start the end of the left one.
        if index % 2 if layer == 0 else not computable:
            yield u64(tree.end_of(layer, index) - tree.start_of(layer, index))
        if not computable:
            yield tree.hash_of(layer, index)
        elif layer > 0:
            yield from pieces(layer - 1, 2 * index)
            yield from pieces(layer - 1, 2 * index + 1)

    return b"".join(pieces(paths.height, 0))


def hash_proof(
    ann_hashes: Sequence[bytes], count: int, indexes: Sequence[int], proof: bytes
) -> bytes:
    """The root hash that a proof leads to; whether it is the committed one is for the caller.

    ann_hashes : H32 of each proven announcement
    count      : announcements in the set, as the block commits to
    indexes    : their indexes in the set; taken modulo the count, so item numbers will do

    `ProofError` says in what the proof contradicts itself or these.
    """
    if count == 0:
        raise ProofError("a set of 0 announcements has no proof")
    indexes = [index % count for index in indexes]
    proven: dict[int, bytes] = {}
    for index, ann_hash in zip(indexes, ann_hashes, strict=True):
        if proven.setdefault(index + 1, ann_hash) != ann_hash:
            raise ProofError(f"two different announcements are given for index {index}")
    rebuilding = _Rebuilding(Paths(count, indexes), proven, proof)
    root = rebuilding.root()
    if rebuilding.offset != len(proof):
        raise ProofError(
            f"the proof has {len(proof)} bytes, but indexes {indexes} of {count} take "
            f"{rebuilding.offset}"
        )
    if (root.start, root.end) != (0, MAX_KEY):
        raise ProofError(
            f"the tree goes from key {root.start} to {root.end}: it must go from 0 to {MAX_KEY}"
        )
    return root_hash(root.encode())


class _Rebuilding:
    """The computable nodes, rebuilt from the proven entries and a proof that is read as it goes.

    proven : hash of each proven entry, by its number
    offset : of the first byte of the proof that was not read
    """

    def __init__(self, paths: Paths, proven: Mapping[int, bytes], proof: bytes) -> None:
        self._paths = paths
        self._proven = proven
        self._proof = proof
        self.offset = 0

    def root(self) -> Node:
        return self._rebuilt(self._paths.height, 0)

    def _rebuilt(self, layer: int, index: int) -> Node:
        """A computable node above the leaves."""
        left, right = 2 * index, 2 * index + 1
        return parent(*(self._leaves if layer == 1 else self._nodes)(layer - 1, left, right))

    def _leaves(self, layer: int, left: int, right: int) -> tuple[Node, Node]:
        left_hash = self._leaf_hash(left)
        right_node = PAD
        if not self._paths.is_pad(layer, right):
            length = self._length()
            right_hash = self._leaf_hash(right)
            right_node = Node(right_hash, key_of(right_hash), key_of(right_hash) + length)
        return Node(left_hash, key_of(left_hash), right_node.start), right_node

    def _nodes(self, layer: int, left: int, right: int) -> tuple[Node, Node]:
        """Two nodes of which one is computable, and tells where the other one is."""
        if not self._paths.is_computable(layer, left):
            length, node_hash = self._length(), self._hash()
            right_node = self._rebuilt(layer, right)
            return Node(node_hash, right_node.start - length, right_node.start), right_node
        left_node = self._rebuilt(layer, left)
        if self._paths.is_computable(layer, right):
            return left_node, self._rebuilt(layer, right)
        if self._paths.is_pad(layer, right):
            return left_node, PAD
        length, node_hash = self._length(), self._hash()
        return left_node, Node(node_hash, left_node.end, left_node.end + length)

    def _leaf_hash(self, entry: int) -> bytes:
        return self._proven[entry] if entry in self._proven else self._hash()

    def _length(self) -> int:
        return int.from_bytes(self._read(U64_SIZE), "little")

    def _hash(self) -> bytes:
        return self._read(HASH_SIZE)

    def _read(self, size: int) -> bytes:
        start = self.offset
        self.offset += size
        if self.offset > len(self._proof):
            raise ProofError(f"the proof ends after {len(self._proof)} bytes: it is cut short")
        return self._proof[start : self.offset]
