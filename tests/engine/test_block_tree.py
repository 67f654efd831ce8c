"""The tree of the engine against that of the protocol (which the original agrees with)."""

import random

import numpy as np
import pytest
from made_up_blocks import PlainHasher, made_up

from packetcrypt.engine import block_tree
from packetcrypt.engine.block_store import AnnouncementStore, PinnedRows
from packetcrypt.engine.block_tree import BlockTree, build_tree
from packetcrypt.protocol.proof_tree import ProofTree, create_proof, layer_sizes


def pinned_store(count: int) -> tuple[AnnouncementStore, PinnedRows]:
    store = AnnouncementStore(np.zeros((count, 1024), np.uint8), count)
    store.add(made_up(count, 1000))
    return store, store.pin(store.classes())


def built(store: AnnouncementStore, pinned: PinnedRows) -> tuple[BlockTree, int]:
    """The tree, and in how many steps it was built."""
    steps = build_tree(store, pinned, PlainHasher())
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            tree: BlockTree = finished.value
            return tree, count
        count += 1


@pytest.mark.parametrize("step_nodes", [2, 8, 1 << 16])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7, 8, 63, 64, 65, 500])
def test_every_node_and_the_root(
    count: int, step_nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_tree, "_STEP_NODES", step_nodes)
    store, pinned = pinned_store(count)
    hashes = np.empty((count, 32), np.uint8)
    store.hashes(pinned.rows, hashes)
    plain = ProofTree([row.tobytes() for row in hashes])

    tree, steps = built(store, pinned)

    places = [(layer, i) for layer, size in enumerate(layer_sizes(count)) for i in range(size)]
    assert [tree.hash_of(*place) for place in places] == [plain.hash_of(*p) for p in places]
    assert [tree.start_of(*place) for place in places] == [plain.start_of(*p) for p in places]
    assert [tree.end_of(*place) for place in places] == [plain.end_of(*p) for p in places]
    assert tree.root == plain.root
    assert tree.count == count
    assert steps >= 2 * count / step_nodes


@pytest.mark.parametrize("count", [1, 2, 37, 200])
def test_proofs(count: int) -> None:
    store, pinned = pinned_store(count)
    hashes = np.empty((count, 32), np.uint8)
    store.hashes(pinned.rows, hashes)
    plain = ProofTree([row.tobytes() for row in hashes])
    tree, _ = built(store, pinned)
    draw = random.Random(count)
    for _ in range(10):
        indexes = [draw.randrange(count) for _ in range(4)]
        assert create_proof(tree, indexes) == plain.prove(indexes)
