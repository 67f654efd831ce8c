"""How jobs become ready to be searched: their tables and Merkle trees (spec 1 §4)."""

from collections.abc import Generator, Sequence
from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.merkle import NODE_SIZE, ROOT_ROW, TREE_STRIDE, MerkleTrees
from packetcrypt.kernels.opencl.randhash import LoadedTables, RandHash
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randgen import MAX_INSTRUCTIONS
from packetcrypt.protocol.randhash import MAX_EXECUTED

#: Items a compute unit makes in one launch: 10 ms of a fast core, so that what else the device has
#: to do never waits long. With half of it Python took 3.1 instead of 2.5 % of the time.
_CPU_ITEMS_A_LAUNCH: Final = 1024

#: Roots of jobs, or why a job is impossible.
Outcomes = list[bytes | ProgramError]


class TableBuilder:
    """Prepares jobs on one device, at most `most_jobs` together."""

    def __init__(self, context: DeviceContext, randhash: RandHash, most_jobs: int = 1) -> None:
        self._context = context
        self._randhash = randhash
        self._merkle = MerkleTrees(context)
        traits = context.traits
        rows = most_jobs * TABLE_SIZE
        self._slice = _CPU_ITEMS_A_LAUNCH * traits.compute_units if traits.is_cpu else rows
        self._numbers = upload(context, np.arange(rows, dtype=np.uint32) % TABLE_SIZE)
        self._too_long = allocate(context, rows)

    def prepare(
        self, jobs: Sequence[AnnouncementJob], tables: cl.Buffer, trees: cl.Buffer
    ) -> Generator[None, None, Outcomes]:
        """Build the tree over T0 of each job into `trees`, then T1 into `tables`.

        tables : 8192 × 1024 bytes a job, first used for T0
        trees  : 16383 × 64 bytes a job, leaf level first, one every `TREE_STRIDE` bytes

        Yields after each short launch, with that launch alone under way. Returns the 64-byte root
        of each job, or for a job to be skipped an error: a random program of it is too big or runs
        too long. As long as one job is possible, the others are computed along with it.
        """
        errors: dict[int, ProgramError] = {}
        yield from self._make([job.table0_seeds() for job in jobs], tables, errors, trees)
        if len(errors) == len(jobs):
            return [errors[index] for index in range(len(jobs))]
        roots = yield from self._hash_levels(trees, len(jobs))
        seeds = [job.table1_seeds(root) for job, root in zip(jobs, roots, strict=True)]
        yield from self._make(seeds, tables, errors)
        return [errors.get(index, root) for index, root in enumerate(roots)]

    def _make(
        self,
        seeds: Sequence[TableSeeds],
        tables: cl.Buffer,
        errors: dict[int, ProgramError],
        trees: cl.Buffer | None = None,
    ) -> Generator[None, None, None]:
        """Make a table of each job, and the leaves over it into `trees`; notes what is wrong."""
        loaded = yield from self._load(seeds, errors)
        if len(errors) == len(seeds):
            return
        for rows in self._slices(len(seeds)):
            made = self._enqueue_items(loaded, rows, tables)
            if trees is not None:
                made = self._merkle.enqueue_leaves(tables, trees, rows)
            yield
            made.wait()
        yield from self._look_for_too_long(len(seeds), errors)

    def _load(
        self, seeds: Sequence[TableSeeds], errors: dict[int, ProgramError]
    ) -> Generator[None, None, LoadedTables]:
        """Have the programs of tables made; notes those that are too big.

        Such a program has no instructions, and does no harm if it is run all the same.
        """
        under_way = self._randhash.begin(seeds)
        yield
        loaded = under_way.result()
        for index in np.flatnonzero(~loaded.programs.valid).tolist():
            message = (
                f"the program of seed {seeds[index].program.hex()} is too big: more than "
                f"{MAX_INSTRUCTIONS} instructions; skip this job"
            )
            errors.setdefault(index, ProgramError(message))
        return loaded

    def _slices(self, jobs: int) -> list[range]:
        """The rows of each launch, counted through the jobs' tables."""
        rows = range(jobs * TABLE_SIZE)
        return [rows[first : first + self._slice] for first in rows[:: self._slice]]

    def _enqueue_items(self, loaded: LoadedTables, rows: range, tables: cl.Buffer) -> cl.Event:
        tables_of_rows = np.arange(rows.start, rows.stop) // TABLE_SIZE
        return self._randhash.run(
            loaded, tables_of_rows, self._numbers, tables, self._too_long, rows.start
        )

    def _look_for_too_long(
        self, jobs: int, errors: dict[int, ProgramError]
    ) -> Generator[None, None, None]:
        """Note the jobs whose programs ran too long for an item of their tables."""
        too_long = np.empty((jobs, TABLE_SIZE), np.uint8)
        read = self._context.copy_to_host(too_long, self._too_long)
        yield
        read.wait()
        for index in np.flatnonzero(too_long.any(axis=1)).tolist():
            message = (
                f"item {too_long[index].argmax()} of a table executes more than {MAX_EXECUTED} "
                "instructions: its program runs too long; skip this job"
            )
            errors.setdefault(index, ProgramError(message))

    def _hash_levels(self, trees: cl.Buffer, count: int) -> Generator[None, None, list[bytes]]:
        """Complete the trees; returns their roots."""
        self._merkle.enqueue_levels(trees, count)
        roots = np.empty((count, NODE_SIZE), np.uint8)
        reads = [
            self._context.copy_to_host(root, trees, TREE_STRIDE * index + NODE_SIZE * ROOT_ROW)
            for index, root in enumerate(roots)
        ]
        yield
        for read in reads:
            read.wait()
        return [root.tobytes() for root in roots]
