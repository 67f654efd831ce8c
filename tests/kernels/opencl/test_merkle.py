"""Merkle trees in OpenCL against protocol/merkle.py."""

import numpy as np

from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.merkle import ROOT_ROW, MerkleTrees
from packetcrypt.protocol.merkle import MerkleTree


def test_a_tree_over_a_table(context: DeviceContext) -> None:
    table = np.random.default_rng(3).integers(0, 256, (8192, 1024), np.uint8)
    trees = MerkleTrees(context)
    table_buffer, tree_buffer = upload(context, table), allocate(context, 64 * (ROOT_ROW + 1))
    for items in (range(5000), range(5000, 8191), range(8191, 8192)):
        trees.enqueue_leaves(table_buffer, tree_buffer, items)
    trees.enqueue_levels(tree_buffer)
    tree = np.empty((ROOT_ROW + 1, 64), np.uint8)
    download(context, tree_buffer, tree)

    plain = MerkleTree.of_items(item.tobytes() for item in table)
    assert tree[ROOT_ROW].tobytes() == plain.root
    assert tree.tobytes() == b"".join(node for level in plain.levels for node in level)
