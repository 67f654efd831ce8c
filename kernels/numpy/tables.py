"""How a table of 8192 items is built piece by piece, and the search tables of a job with it.

On one thread: the calls are many and short, and between them threads would pass the GIL to and fro.
Two threads took 1.2 to 1.5 times as long as one for a job.
"""

import time
from collections.abc import Callable, Generator, Iterable
from functools import partial

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.merkle import HASH_WORDS, MerkleTree
from packetcrypt.kernels.numpy.randhash import ItemRun
from packetcrypt.kernels.numpy.search import PreparedTables
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.kernels.program import DecodedProgram, decode
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randhash import MAX_EXECUTED, RandProgram

#: Items that are encrypted and hashed in one piece. With 256, 512, 1024 and 2048 a job took 2.8,
#: 2.1, 1.8 and 1.7 s, but new work has to wait for the piece under way: 30 ms with 512.
_PIECE = 512
#: Items whose program is interpreted together. More make longer arrays, until they leave the
#: L3 cache: with 1024, 2048, 4096 and 8192 a table took 1.98, 1.64, 1.12 and 1.20 s on a busy core.
_LANES = 4096
#: Interpreting gives way after this time; the next END of a scope is a few milliseconds off.
_STEP_SECONDS = 0.02

Table = npt.NDArray[np.uint64]
Task = Callable[[Workspace], None]
#: Runs tasks, each with a workspace of its own, and returns when all are done.
Runner = Callable[[Iterable[Task]], None]
_Consumer = Callable[[Workspace, int, Table], None]


def empty_table() -> Table:
    """Room for a table: (8192, 128) uint64."""
    return np.empty((TABLE_SIZE, ITEM_SIZE // 8), np.uint64)


def prepare(
    job: AnnouncementJob, table: Table, run: Runner
) -> Generator[None, None, PreparedTables]:
    """Build T0's Merkle tree and T1, in `table`, and yield after every piece."""
    leaf_hashes = np.empty((TABLE_SIZE, HASH_WORDS), np.uint64)

    def hash_leaves(workspace: Workspace, first: int, piece: Table) -> None:
        leaf_hashes[first : first + len(piece)] = workspace.blake.digests(piece, 64).T

    yield from _build(job.table0_seeds(), hash_leaves, run)
    trees: list[MerkleTree] = []
    run([lambda workspace: trees.append(MerkleTree(leaf_hashes, workspace.blake))])
    root = trees[0].root
    yield

    def keep(workspace: Workspace, first: int, piece: Table) -> None:
        table[first : first + len(piece)] = piece

    yield from _build(job.table1_seeds(root), keep, run)
    return PreparedTables(job, root, table, trees[0])


def _build(seeds: TableSeeds, consume: _Consumer, run: Runner) -> Generator[None, None, None]:
    """Make the items of a table; `consume` takes them, and the number of the first of them."""
    program = decode(RandProgram.generate(seeds.program))
    yield
    for first in range(0, TABLE_SIZE, _LANES):
        chunk = _Chunk(program, seeds.items, first, first + _LANES)
        while not chunk.executed:
            run([chunk.advance])
            yield
        for piece in chunk.pieces(consume):
            run([piece])
            yield


class _Chunk:
    """Items first … end − 1 of a table in the making."""

    def __init__(self, program: DecodedProgram, seed: bytes, first: int, end: int) -> None:
        self._first = first
        self._size = end - first
        self._run = ItemRun(program, seed, np.arange(first, end))
        self._steps = self._run.steps()
        self.executed = False

    def advance(self, _workspace: Workspace) -> None:
        """Execute some more of the program."""
        give_way = time.monotonic() + _STEP_SECONDS
        for _ in self._steps:
            if time.monotonic() > give_way:
                return
        if self._run.too_long.any():
            raise ProgramError(
                f"the program of item {self._first + int(self._run.too_long.argmax())} is too long:"
                f" more than {MAX_EXECUTED} instructions executed in a pass; skip this job"
            )
        self.executed = True

    def pieces(self, consume: _Consumer) -> list[Task]:
        """What remains to be done with the items."""

        def task(first: int, workspace: Workspace) -> None:
            rows = slice(first, min(first + _PIECE, self._size))
            consume(workspace, self._first + first, self._run.finish(rows, workspace.cycle))

        return [partial(task, first) for first in range(0, self._size, _PIECE)]
