"""How the proof tree of a large set is built on a device, and read for proofs (spec 1 §5)."""

from collections.abc import Generator
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.block_store import AnnouncementStore, PinnedRows
from packetcrypt.engine.key_index import Keys
from packetcrypt.protocol.proof_nodes import HASH_SIZE, MAX_KEY
from packetcrypt.protocol.proof_tree import layer_sizes, root_hash

#: Nodes that are hashed, or announcements whose hashes are gathered, in one step.
_STEP_NODES: Final = 1 << 16

_PAD_BYTE = 0xFF

U8s = npt.NDArray[np.uint8]


class LayerHasher(Protocol):
    """What hashes layers: `BlockKernels` do."""

    def hash_layer(self, hashes: U8s, starts: Keys, end: int) -> U8s:
        """See `BlockKernels.hash_layer`."""
        ...


class BlockTree:
    """A whole proof tree (`protocol.proof_tree.TreeNodes`), about 72 bytes an announcement.

    layers : hashes of the nodes, pads included, entries first: (nodes, 32) uint8 each
    bounds : (count + 2,) uint64: where each entry starts, and where the last one ends
    """

    def __init__(self, layers: list[U8s], bounds: Keys) -> None:
        self._layers = layers
        self._bounds = bounds

    @property
    def count(self) -> int:
        """How many announcements it is over."""
        return len(self._bounds) - 2

    @property
    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        ends = int(self._bounds[0]).to_bytes(8, "little") + MAX_KEY.to_bytes(8, "little")
        return root_hash(self._layers[-1].tobytes() + ends)

    def hash_of(self, layer: int, index: int) -> bytes:
        """32 bytes."""
        node: bytes = self._layers[layer][index].tobytes()
        return node

    def start_of(self, layer: int, index: int) -> int:
        """The key where a node starts."""
        # Whatever layer: a node starts where its first entry does; pads lie behind the last one.
        return int(self._bounds[min(index << layer, len(self._bounds) - 1)])

    def end_of(self, layer: int, index: int) -> int:
        """The key where a node ends."""
        return self.start_of(layer, index + 1)


def build_tree(
    store: AnnouncementStore, pinned: PinnedRows, hasher: LayerHasher
) -> Generator[None, None, BlockTree]:
    """Build the tree over pinned announcements, at least one; yields after each short step."""
    count = len(pinned.keys)
    bounds = np.empty(count + 2, np.uint64)
    bounds[0], bounds[1:-1], bounds[-1] = 0, pinned.keys, MAX_KEY
    sizes = layer_sizes(count)
    layers = [np.empty((size, HASH_SIZE), np.uint8) for size in sizes]
    entries = layers[0]
    entries[0] = 0
    for first in range(0, count, _STEP_NODES):
        rows = pinned.rows[first : first + _STEP_NODES]
        store.hashes(rows, entries[1 + first : 1 + first + len(rows)])
        yield
    entries[count + 1 :] = _PAD_BYTE
    for layer, (nodes, parents) in enumerate(pairwise(layers)):
        for first in range(0, len(nodes), _STEP_NODES):
            piece = nodes[first : first + _STEP_NODES]
            end = first + len(piece)
            starts = _starts(bounds, layer, first, end + 1)
            made = hasher.hash_layer(piece, starts[:-1], int(starts[-1]))
            parents[first // 2 : end // 2] = made
            yield
        parents[len(nodes) // 2 :] = _PAD_BYTE
    return BlockTree(layers, bounds)


def _starts(bounds: Keys, layer: int, first: int, end: int) -> Keys:
    """Where nodes first … end − 1 of a layer start."""
    known = bounds[first << layer : end << layer : 1 << layer]
    starts = np.full(end - first, MAX_KEY, np.uint64)  # where pads start, and the last node ends
    starts[: len(known)] = known
    return starts
