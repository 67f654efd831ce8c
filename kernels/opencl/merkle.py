"""How Merkle trees are built on the device (spec 1 §4; host side of merkle.cl)."""

from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.tile import hashing_work_items, launch_shape
from packetcrypt.protocol.announcement import MERKLE_DEPTH, TABLE_SIZE

NODE_SIZE: Final = 64
ROOT_ROW: Final = (2 << MERKLE_DEPTH) - 2
TREE_SIZE: Final = NODE_SIZE * (ROOT_ROW + 1)

#: Bytes from one tree to the next where several lie in a buffer: devices want a power of two.
TREE_STRIDE: Final = NODE_SIZE * (ROOT_ROW + 2)


#: On a CPU a work-item hashes this many parents, and all levels above them, by itself: 63 hashes.
_TOP_PARENTS: Final = 32


class MerkleTrees:
    """Builds trees of 16383 × 64 bytes: leaf level first, the root in row `ROOT_ROW`."""

    def __init__(self, context: DeviceContext) -> None:
        self._context = context
        program = context.build("merkle.cl", TREE_STRIDE=TREE_STRIDE)
        self._leaves = context.kernel(program, "merkle_leaves")
        self._level = context.kernel(program, "merkle_level")
        self._top = context.kernel(program, "merkle_top")
        self._top_parents = _TOP_PARENTS if context.traits.is_cpu else 1

    def enqueue_leaves(self, tables: cl.Buffer, trees: cl.Buffer, rows: range) -> cl.Event:
        """Hash items into the leaf levels.

        rows : which items, of 1024 bytes each, counted through tables of 8192
        """
        return self._leaves(
            self._context.queue,
            *self._shape(len(rows)),
            tables,
            trees,
            np.uint32(rows.start),
            np.uint32(len(rows)),
        )

    def enqueue_levels(self, trees: cl.Buffer, count: int = 1) -> cl.Event:
        """Hash all levels above the leaves, of `count` trees."""
        level, parents = 0, TABLE_SIZE // 2
        while parents > self._top_parents:
            self._level(
                self._context.queue,
                *self._shape(count * parents),
                trees,
                np.uint32(level),
                np.uint32(parents),
                np.uint32(count * parents),
            )
            level += 2 * parents
            parents //= 2
        return self._top(
            self._context.queue,
            *launch_shape(self._context.traits, count),
            trees,
            np.uint32(level),
            np.uint32(parents),
            np.uint32(count),
        )

    def _shape(self, nodes: int) -> tuple[tuple[int], tuple[int]]:
        traits = self._context.traits
        return launch_shape(traits, hashing_work_items(traits, nodes))
