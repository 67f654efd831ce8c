"""How a table of 8192 items is built piece by piece, and the search tables of a job with it."""

from collections.abc import Callable, Generator, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.merkle import HASH_WORDS, MerkleTree
from packetcrypt.kernels.numpy.randhash import items
from packetcrypt.kernels.numpy.search import PreparedTables
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.kernels.program import DecodedProgram, decode
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randhash import MAX_EXECUTED, RandProgram

#: Items that a thread makes in one piece.
PIECE = 1024

Table = npt.NDArray[np.uint64]
Task = Callable[[Workspace], None]
#: Runs tasks, each with a workspace of its own, and returns when all are done.
Runner = Callable[[Iterable[Task]], None]


def empty_table() -> Table:
    """Room for a table: (8192, 128) uint64."""
    return np.empty((TABLE_SIZE, ITEM_SIZE // 8), np.uint64)


def prepare(
    job: AnnouncementJob, table: Table, run: Runner, threads: int
) -> Generator[None, None, PreparedTables]:
    """Build T0's Merkle tree and T1, in `table`, and yield after every piece of each thread."""
    leaf_hashes = np.empty((TABLE_SIZE, HASH_WORDS), np.uint64)

    def hash_leaves(workspace: Workspace, first: int, piece: Table) -> None:
        leaf_hashes[first : first + len(piece)] = workspace.blake.digests(piece, 64).T

    yield from _build(job.table0_seeds(), hash_leaves, run, threads)
    trees: list[MerkleTree] = []
    run([lambda workspace: trees.append(MerkleTree(leaf_hashes, workspace.blake))])
    root = trees[0].root

    def keep(workspace: Workspace, first: int, piece: Table) -> None:
        table[first : first + len(piece)] = piece

    yield from _build(job.table1_seeds(root), keep, run, threads)
    return PreparedTables(job, root, table, trees[0])


def _build(
    seeds: TableSeeds, consume: Callable[[Workspace, int, Table], None], run: Runner, threads: int
) -> Generator[None, None, None]:
    """Make the items of a table; `consume` takes them: the first one's number, and (n, 128)."""
    program = decode(RandProgram.generate(seeds.program))
    firsts = range(0, TABLE_SIZE, PIECE)
    for start in range(0, len(firsts), threads):
        group: Sequence[int] = firsts[start : start + threads]
        run([_piece(program, seeds.items, first, consume) for first in group])
        yield


def _piece(
    program: DecodedProgram,
    seed: bytes,
    first: int,
    consume: Callable[[Workspace, int, Table], None],
) -> Task:
    def task(workspace: Workspace) -> None:
        numbers = np.arange(first, first + PIECE)
        piece, too_long = items(program, seed, numbers, workspace.cycle, workspace.checkpoint)
        if too_long.any():
            raise ProgramError(
                f"the program of item {first + int(too_long.argmax())} is too long: more than "
                f"{MAX_EXECUTED} instructions executed in a pass; skip this job"
            )
        consume(workspace, first, piece)

    return task
