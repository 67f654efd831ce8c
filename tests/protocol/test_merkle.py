"""The Merkle tree: every branch leads to the root, and no other leaf does."""

import pytest

from packetcrypt.protocol.merkle import MerkleTree, branch_root
from packetcrypt.protocol.primitives import h64

ITEMS = [bytes([number]) * 1024 for number in range(8)]
TREE = MerkleTree.of_items(ITEMS)


def test_the_root_of_two_leaves_is_the_hash_of_both() -> None:
    tree = MerkleTree.of_items(ITEMS[:2])
    assert tree.root == h64(h64(ITEMS[0]) + h64(ITEMS[1]))


@pytest.mark.parametrize("index", range(8))
def test_each_branch_leads_to_the_root(index: int) -> None:
    assert branch_root(h64(ITEMS[index]), index, TREE.branch(index)) == TREE.root


@pytest.mark.parametrize("index", range(8))
def test_a_branch_does_not_serve_its_neighbour(index: int) -> None:
    assert branch_root(h64(ITEMS[index]), index ^ 1, TREE.branch(index)) != TREE.root
