"""Preparation of jobs in OpenCL against the known announcements and protocol/."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from vector_files import load_vectors

from packetcrypt.kernels.opencl.buffers import allocate, download
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.randhash import RandHash
from packetcrypt.kernels.opencl.tables import Outcomes, TableBuilder
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.merkle import MerkleTree
from packetcrypt.protocol.primitives import h64
from packetcrypt.protocol.randhash import RandProgram, item

JOBS = load_vectors("ann_jobs")["jobs"]
SOME_ITEMS = (0, 511, 512, 1792, 4097, 8191)

Bytes = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def randhash(context: DeviceContext) -> RandHash:
    return RandHash(context)


@pytest.fixture(scope="module")
def builder(context: DeviceContext, randhash: RandHash) -> TableBuilder:
    return TableBuilder(context, randhash)


def run(steps: Generator[None, None, Outcomes]) -> Outcomes:
    """Take every step; returns the roots."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            roots: Outcomes = end.value
            return roots


def some_items(seeds: TableSeeds) -> list[bytes]:
    program = RandProgram.generate(seeds.program)
    return [item(number, seeds.items, program) for number in SOME_ITEMS]


def prepare(
    context: DeviceContext, builder: TableBuilder, jobs: Sequence[AnnouncementJob]
) -> tuple[Outcomes, Bytes, Bytes]:
    """Roots, tables and trees of jobs."""
    tables = np.empty((len(jobs), 8192, 1024), np.uint8)
    trees = np.empty((len(jobs), 16384, 64), np.uint8)
    buffers = allocate(context, tables.nbytes), allocate(context, trees.nbytes)
    roots = run(builder.prepare(jobs, *buffers))
    download(context, buffers[0], tables)
    download(context, buffers[1], trees)
    return roots, tables, trees[:, :16383]


def assert_ready(
    job: AnnouncementJob, root: bytes | ProgramError, table: Bytes, tree: Bytes
) -> None:
    assert isinstance(root, bytes)
    leaves = [tree[number].tobytes() for number in SOME_ITEMS]
    assert leaves == [h64(leaf) for leaf in some_items(job.table0_seeds())]
    plain = MerkleTree(node.tobytes() for node in tree[:8192])
    assert tree.tobytes() == b"".join(node for level in plain.levels for node in level)
    assert root == plain.root
    items = [table[number].tobytes() for number in SOME_ITEMS]
    assert items == some_items(job.table1_seeds(root))


def known_job(known: dict[str, Any]) -> tuple[AnnouncementJob, bytes]:
    """A job of the vectors and its root."""
    announcement = bytes.fromhex(known["anns"][0]["bytes"])
    header = AnnouncementHeader.decode(announcement).with_soft_nonce(0)
    job = AnnouncementJob(header, bytes.fromhex(known["parent_block_hash"]))
    return job, announcement[920:984]


@pytest.mark.parametrize("known", JOBS[:2], ids=lambda known: known["hard_nonce"])
def test_a_job_is_ready_to_be_searched(
    context: DeviceContext, builder: TableBuilder, known: dict[str, Any]
) -> None:
    job, known_root = known_job(known)
    (root,), (table,), (tree,) = prepare(context, builder, [job])
    assert root == known_root
    assert_ready(job, root, table, tree)


def test_jobs_are_prepared_together(context: DeviceContext, randhash: RandHash) -> None:
    jobs, known_roots = zip(*map(known_job, JOBS[:2]), strict=True)
    builder = TableBuilder(context, randhash, most_jobs=3)
    roots, tables, trees = prepare(context, builder, jobs)
    assert roots == [*known_roots]
    for job, root, table, tree in zip(jobs, roots, tables, trees, strict=True):
        assert_ready(job, root, table, tree)


#: The programs of the known jobs have 172 and 39, 101 and 284, 24 and 165, … instructions.
LOWERED_LIMIT = 170


def test_jobs_whose_programs_are_too_big_leave_the_others(context: DeviceContext) -> None:
    jobs, known_roots = zip(*map(known_job, JOBS[:3]), strict=True)
    builder = TableBuilder(context, RandHash(context, LOWERED_LIMIT), most_jobs=3)
    (first, second, root), tables, trees = prepare(context, builder, jobs)
    assert isinstance(first, ProgramError)
    assert jobs[0].table0_seeds().program.hex() in str(first)
    assert isinstance(second, ProgramError)
    assert jobs[1].table1_seeds(known_roots[1]).program.hex() in str(second)
    assert root == known_roots[2]
    assert_ready(jobs[2], root, tables[2], trees[2])


def test_nothing_is_built_for_an_impossible_job(context: DeviceContext) -> None:
    job, _ = known_job(JOBS[0])
    builder = TableBuilder(context, RandHash(context, LOWERED_LIMIT))
    steps = builder.prepare([job], allocate(context, 8192 << 10), allocate(context, 16383 * 64))
    next(steps)
    with pytest.raises(StopIteration) as end:
        next(steps)
    (error,) = end.value.value
    assert isinstance(error, ProgramError)


def test_giving_up_leaves_the_builder_usable(context: DeviceContext, builder: TableBuilder) -> None:
    header = AnnouncementHeader(hard_nonce=1, work_bits=0x207FFFFF, parent_height=1)
    abandoned = AnnouncementJob(header, bytes(32))
    steps = builder.prepare(
        [abandoned], allocate(context, 8192 << 10), allocate(context, 16384 * 64)
    )
    for _ in range(3):
        next(steps)
    steps.close()
    job = AnnouncementJob(header, bytes([1]) * 32)
    (root,), (table,), (tree,) = prepare(context, builder, [job])
    assert_ready(job, root, table, tree)
