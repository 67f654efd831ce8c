"""How a job becomes ready to be searched: its tables and its Merkle tree (spec 1 §4)."""

from collections.abc import Generator
from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.merkle import NODE_SIZE, ROOT_ROW, MerkleTrees
from packetcrypt.kernels.opencl.randhash import LoadedTables, RandHash
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randgen import MAX_INSTRUCTIONS
from packetcrypt.protocol.randhash import MAX_EXECUTED

#: Items a compute unit makes in one launch: 5 ms of a fast core, so that what else the device has
#: to do never waits long.
_CPU_ITEMS_A_LAUNCH: Final = 512


class TableBuilder:
    """Prepares jobs on one device."""

    def __init__(self, context: DeviceContext, randhash: RandHash) -> None:
        self._context = context
        self._randhash = randhash
        self._merkle = MerkleTrees(context)
        traits = context.traits
        self._slice = _CPU_ITEMS_A_LAUNCH * traits.compute_units if traits.is_cpu else TABLE_SIZE
        self._numbers = upload(context, np.arange(TABLE_SIZE, dtype=np.uint32))
        self._too_long = allocate(context, TABLE_SIZE)

    def prepare(
        self, job: AnnouncementJob, table: cl.Buffer, tree: cl.Buffer
    ) -> Generator[None, None, bytes]:
        """Build the tree over T0 into `tree`, then T1 into `table`; returns the 64-byte root.

        table : 8192 × 1024 bytes, first used for T0
        tree  : 16383 × 64 bytes, leaf level first

        Yields after each short launch, with that launch alone under way. Raises `ProgramError` if a
        random program of the job is too big or runs too long: skip the job.
        """
        loaded = yield from self._load(job.table0_seeds())
        for first in range(0, TABLE_SIZE, self._slice):
            self._enqueue_items(loaded, first, table)
            self._merkle.enqueue_leaves(table, tree, self._items(first))
            yield from self._refuse_too_long(first)
        self._merkle.enqueue_levels(tree)
        root = np.empty(NODE_SIZE, np.uint8)
        read = self._context.copy_to_host(root, tree, NODE_SIZE * ROOT_ROW)
        yield
        read.wait()
        loaded = yield from self._load(job.table1_seeds(root.tobytes()))
        for first in range(0, TABLE_SIZE, self._slice):
            self._enqueue_items(loaded, first, table)
            yield from self._refuse_too_long(first)
        return root.tobytes()

    def _load(self, seeds: TableSeeds) -> Generator[None, None, LoadedTables]:
        """Have a table's program made."""
        under_way = self._randhash.begin([seeds])
        yield
        loaded = under_way.result()
        if not loaded.programs.valid.all():
            raise ProgramError(
                f"the program of seed {seeds.program.hex()} is too big: more than "
                f"{MAX_INSTRUCTIONS} instructions; skip this job"
            )
        return loaded

    def _items(self, first: int) -> range:
        """The items of the slice that begins with item `first`."""
        return range(first, min(first + self._slice, TABLE_SIZE))

    def _enqueue_items(self, loaded: LoadedTables, first: int, table: cl.Buffer) -> None:
        one_table = np.zeros(len(self._items(first)), np.intp)
        self._randhash.run(loaded, one_table, self._numbers, table, self._too_long, first)

    def _refuse_too_long(self, first: int) -> Generator[None, None, None]:
        """Wait for a slice, and look whether the program ran too long for any item of it."""
        too_long = np.empty(len(self._items(first)), np.uint8)
        read = self._context.copy_to_host(too_long, self._too_long, first)
        yield
        read.wait()
        if too_long.any():
            raise ProgramError(
                f"item {first + too_long.argmax()} of a table executes more than {MAX_EXECUTED} "
                "instructions: its program runs too long; skip this job"
            )
