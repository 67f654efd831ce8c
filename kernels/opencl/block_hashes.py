"""How the hashes of a block's proof tree are made on the device: the host side of block_hashes.cl.

Launches are short, a few milliseconds of a core each, so that a search can go on between two calls.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.opencl.announcement_rows import AnnouncementRows
from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.tile import hashing_work_items, launch_shape

_HASH_SIZE: Final = 32

#: Of each compute unit in a launch.
_ROWS_A_LAUNCH: Final = 8192
_PAIRS_A_LAUNCH: Final = 65536

#: Of all together: 16 MiB of results. The engine asks for less at a time.
_MOST_A_LAUNCH: Final = 1 << 19


class BlockHashes:
    """H32 of announcements, and of pairs of the proof tree's nodes (spec 1 §5)."""

    def __init__(self, context: DeviceContext, rows: AnnouncementRows) -> None:
        self._context = context
        self._rows = rows
        program = context.build("block_hashes.cl", STORE_PARTS=rows.parts)
        self._hash_rows = context.kernel(program, "hash_rows")
        self._hash_pairs = context.kernel(program, "hash_pairs")
        units = context.traits.compute_units
        self._most_rows = min(units * _ROWS_A_LAUNCH, _MOST_A_LAUNCH)
        self._most_pairs = min(units * _PAIRS_A_LAUNCH, _MOST_A_LAUNCH)
        self._hashes = allocate(context, _HASH_SIZE * max(self._most_rows, self._most_pairs))

    def rows(self, first: int, count: int) -> npt.NDArray[np.uint8]:
        """(count, 32) uint8: H32 of rows first … first+count−1 of the store."""
        hashes = np.empty((count, _HASH_SIZE), np.uint8)
        for done in range(0, count, self._most_rows):
            part = hashes[done : done + self._most_rows]
            self._hash_rows(
                self._context.queue,
                *self._shape(len(part)),
                *self._rows.arguments,
                np.uint32(first + done),
                np.uint32(len(part)),
                self._hashes,
            )
            download(self._context, self._hashes, part)
        return hashes

    def layer(
        self, hashes: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint64], end: int
    ) -> npt.NDArray[np.uint8]:
        """(m/2, 32) uint8: one layer from the (m, 32) hashes and (m,) starts below it."""
        parents = np.empty((len(hashes) // 2, _HASH_SIZE), np.uint8)
        bounds = np.append(starts, np.uint64(end))
        for done in range(0, len(parents), self._most_pairs):
            part = parents[done : done + self._most_pairs]
            nodes = slice(2 * done, 2 * (done + len(part)))
            self._hash_pairs(
                self._context.queue,
                *self._shape(len(part)),
                upload(self._context, hashes[nodes]),
                upload(self._context, bounds[nodes.start : nodes.stop + 1]),
                np.uint32(len(part)),
                self._hashes,
            )
            download(self._context, self._hashes, part)
        return parents

    def _shape(self, messages: int) -> tuple[tuple[int], tuple[int]]:
        traits = self._context.traits
        return launch_shape(traits, hashing_work_items(traits, messages))
