"""How a job becomes ready to be searched: its tables and its Merkle tree (spec 1 §4)."""

from collections.abc import Generator
from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.merkle import NODE_SIZE, ROOT_ROW, MerkleTrees
from packetcrypt.kernels.opencl.randhash import LoadedTables, RandHash, Table
from packetcrypt.kernels.program import decode
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randhash import MAX_EXECUTED, RandProgram

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
        for items in self._build(job.table0_seeds(), table):
            launch = self._merkle.enqueue_leaves(table, tree, items)
            yield
            launch.wait()
        self._merkle.enqueue_levels(tree)
        root = np.empty(NODE_SIZE, np.uint8)
        read = self._context.copy_to_host(root, tree, NODE_SIZE * ROOT_ROW)
        yield
        read.wait()
        for _ in self._build(job.table1_seeds(root.tobytes()), table):
            launch = cl.enqueue_marker(self._context.queue)
            yield
            launch.wait()
        return root.tobytes()

    def _build(self, seeds: TableSeeds, table: cl.Buffer) -> Generator[range, None, None]:
        """Enqueue a table slice by slice; yields the items of each slice after enqueuing it."""
        program = decode(RandProgram.generate(seeds.program))
        loaded = LoadedTables(self._context, [Table(program, seeds.items)])
        for first in range(0, TABLE_SIZE, self._slice):
            items = range(first, min(first + self._slice, TABLE_SIZE))
            tasks = self._randhash.tasks(loaded, np.zeros(len(items), np.intp), first)
            self._randhash.run(loaded, tasks, self._numbers, table, self._too_long)
            yield items
        if program.may_run_too_long:
            self._refuse_too_long()

    def _refuse_too_long(self) -> None:
        too_long = np.empty(TABLE_SIZE, np.uint8)
        download(self._context, self._too_long, too_long)
        if too_long.any():
            raise ProgramError(
                f"item {too_long.argmax()} of a table executes more than {MAX_EXECUTED} "
                "instructions: its program runs too long; skip this job"
            )
