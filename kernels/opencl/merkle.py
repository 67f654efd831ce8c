"""How a Merkle tree is built on the device (spec 1 §4; host side of merkle.cl)."""

from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.tile import hashing_work_items, launch_shape
from packetcrypt.protocol.announcement import MERKLE_DEPTH, TABLE_SIZE

NODE_SIZE: Final = 64
ROOT_ROW: Final = (2 << MERKLE_DEPTH) - 2
TREE_SIZE: Final = NODE_SIZE * (ROOT_ROW + 1)


class MerkleTrees:
    """Builds trees of 16383 × 64 bytes: leaf level first, the root in row `ROOT_ROW`."""

    def __init__(self, context: DeviceContext) -> None:
        self._context = context
        program = context.build("merkle.cl")
        self._leaves = context.kernel(program, "merkle_leaves")
        self._level = context.kernel(program, "merkle_level")

    def enqueue_leaves(self, table: cl.Buffer, tree: cl.Buffer, items: range) -> cl.Event:
        """Hash `items` of the table, of 1024 bytes each, into the leaf level."""
        return self._leaves(
            self._context.queue,
            *self._shape(len(items)),
            table,
            tree,
            np.uint32(items.start),
            np.uint32(len(items)),
        )

    def enqueue_levels(self, tree: cl.Buffer) -> cl.Event:
        """Hash all levels above the leaves."""
        row, nodes = 0, TABLE_SIZE // 2
        while True:
            event = self._level(
                self._context.queue, *self._shape(nodes), tree, np.uint32(row), np.uint32(nodes)
            )
            if nodes == 1:
                return event
            row += 2 * nodes
            nodes //= 2

    def _shape(self, nodes: int) -> tuple[tuple[int], tuple[int]]:
        traits = self._context.traits
        return launch_shape(traits, hashing_work_items(traits, nodes))
