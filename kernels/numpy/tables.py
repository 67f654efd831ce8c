"""How the items of a table are made piece by piece, and the tables of a job with them.

On one core, whose work gives way every few milliseconds. Several cores have a process each, which
makes a share of the items (process_backend.py): two threads took 1.2 to 1.5 times as long as one,
because the calls are many and short, and between them the threads would pass the GIL to and fro.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.merkle import MerkleTree
from packetcrypt.kernels.numpy.randhash import ItemRun
from packetcrypt.kernels.numpy.search import PreparedTables
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.kernels.program import decode
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randhash import MAX_EXECUTED, RandProgram

ITEM_WORDS = ITEM_SIZE // 8
WHOLE_TABLE = range(TABLE_SIZE)

#: Items that are encrypted and hashed in one piece. With 256, 512, 1024 and 2048 a job took 2.8,
#: 2.1, 1.8 and 1.7 s, but new work has to wait for the piece under way: 30 ms with 512.
_PIECE = 512
#: Items whose program is interpreted together. More make longer arrays, until they leave the
#: L3 cache: with 1024, 2048, 4096 and 8192 a table took 1.98, 1.64, 1.12 and 1.20 s on a busy core.
_LANES = 4096
#: Interpreting gives way after this time; the next END of a scope is a few milliseconds off.
_STEP_SECONDS = 0.02

Table = npt.NDArray[np.uint64]
_Consumer = Callable[[slice, Table], None]


def empty_table() -> Table:
    """Room for a table: (8192, 128) uint64."""
    return np.empty((TABLE_SIZE, ITEM_WORDS), np.uint64)


@dataclass(frozen=True)
class JobRoom:
    """Room for what a job is searched with.

    table : (8192, 128) uint64, the items of T1
    tree  : over T0
    """

    table: Table = field(default_factory=empty_table)
    tree: MerkleTree = field(default_factory=MerkleTree)


def prepare(
    job: AnnouncementJob, room: JobRoom, workspace: Workspace
) -> Generator[None, None, PreparedTables]:
    """Build T0's Merkle tree and T1 in `room`, and yield after every piece."""
    yield from hash_leaves(job, WHOLE_TABLE, room, workspace)
    room.tree.build(workspace.blake)
    yield
    root = room.tree.root
    yield from make_table(job, root, WHOLE_TABLE, room, workspace)
    return PreparedTables(job, root, room.table, room.tree)


def hash_leaves(
    job: AnnouncementJob, items: range, room: JobRoom, workspace: Workspace
) -> Generator[None, None, None]:
    """Make items of T0 and write their hashes to the leaves of the tree."""

    def consume(rows: slice, piece: Table) -> None:
        room.tree.leaf_hashes[rows] = workspace.blake.digests(piece, 64).T

    return _make_items(job.table0_seeds(), items, consume, workspace)


def make_table(
    job: AnnouncementJob, root: bytes, items: range, room: JobRoom, workspace: Workspace
) -> Generator[None, None, None]:
    """Make items of T1, which depends on the root of the tree, and write them to the table."""

    def consume(rows: slice, piece: Table) -> None:
        room.table[rows] = piece

    return _make_items(job.table1_seeds(root), items, consume, workspace)


def _make_items(
    seeds: TableSeeds, items: range, consume: _Consumer, workspace: Workspace
) -> Generator[None, None, None]:
    """Make consecutive items; `consume` takes a piece of them, and their places in the table."""
    program = decode(RandProgram.generate(seeds.program))
    yield
    for first in range(items.start, items.stop, _LANES):
        end = min(first + _LANES, items.stop)
        run = ItemRun(program, seeds.items, np.arange(first, end))
        yield from _execute(run, first)
        for start in range(first, end, _PIECE):
            stop = min(start + _PIECE, end)
            piece = run.finish(slice(start - first, stop - first), workspace.cycle)
            consume(slice(start, stop), piece)
            yield


def _execute(run: ItemRun, first: int) -> Generator[None, None, None]:
    """Run the program of items from number `first` on."""
    give_way = time.monotonic() + _STEP_SECONDS
    for _ in run.steps():
        if time.monotonic() > give_way:
            yield
            give_way = time.monotonic() + _STEP_SECONDS
    if run.too_long.any():
        raise ProgramError(
            f"the program of item {first + int(run.too_long.argmax())} is too long: more than "
            f"{MAX_EXECUTED} instructions executed in a pass; skip this job"
        )
