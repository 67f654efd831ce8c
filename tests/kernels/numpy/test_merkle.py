"""The Merkle tree against protocol/merkle.py."""

import numpy as np
import pytest

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.merkle import MerkleTree, branch_roots
from packetcrypt.protocol import merkle as plain
from packetcrypt.protocol.announcement import TABLE_SIZE

LEAVES = np.array([0, 1, 2, 4095, 4096, 8190, 8191])


@pytest.fixture(scope="module")
def leaf_hashes() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2**64, (TABLE_SIZE, 8), np.uint64)


@pytest.fixture(scope="module")
def tree(leaf_hashes: np.ndarray) -> MerkleTree:
    tree = MerkleTree()
    tree.leaf_hashes[:] = leaf_hashes
    tree.build(Blake2b(1024))
    return tree


@pytest.fixture(scope="module")
def plain_tree(leaf_hashes: np.ndarray) -> plain.MerkleTree:
    return plain.MerkleTree(leaf.tobytes() for leaf in leaf_hashes)


def test_root(tree: MerkleTree, plain_tree: plain.MerkleTree) -> None:
    assert tree.root == plain_tree.root


def test_branches(tree: MerkleTree, plain_tree: plain.MerkleTree) -> None:
    branches = tree.branches(LEAVES)
    assert [[node.tobytes() for node in branch] for branch in branches] == [
        plain_tree.branch(leaf) for leaf in LEAVES.tolist()
    ]


def test_branches_lead_to_the_root(leaf_hashes: np.ndarray, tree: MerkleTree) -> None:
    roots = branch_roots(leaf_hashes[LEAVES], LEAVES, tree.branches(LEAVES), Blake2b(16))
    assert [root.tobytes() for root in roots] == [tree.root] * len(LEAVES)


def test_a_wrong_sibling_does_not(leaf_hashes: np.ndarray, tree: MerkleTree) -> None:
    branches = tree.branches(LEAVES)
    branches[2, 7, 3] ^= np.uint64(1)
    roots = branch_roots(leaf_hashes[LEAVES], LEAVES, branches, Blake2b(16))
    assert [root.tobytes() == tree.root for root in roots] == [row != 2 for row in range(7)]
