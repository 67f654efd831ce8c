"""Preparation of jobs in OpenCL against the known announcements and protocol/."""

from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from vector_files import load_vectors

from packetcrypt.kernels.opencl.buffers import allocate, download
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.randhash import RandHash
from packetcrypt.kernels.opencl.tables import TableBuilder
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.merkle import MerkleTree
from packetcrypt.protocol.primitives import h64
from packetcrypt.protocol.randhash import RandProgram, item

JOBS = load_vectors("ann_jobs")["jobs"]
SOME_ITEMS = (0, 511, 512, 1792, 4097, 8191)

Bytes = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def builder(context: DeviceContext) -> TableBuilder:
    return TableBuilder(context, RandHash(context))


def run(steps: Generator[None, None, bytes]) -> bytes:
    """Take every step; returns the root."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            root: bytes = end.value
            return root


def some_items(seeds: TableSeeds) -> list[bytes]:
    program = RandProgram.generate(seeds.program)
    return [item(number, seeds.items, program) for number in SOME_ITEMS]


def prepare(
    context: DeviceContext, builder: TableBuilder, job: AnnouncementJob
) -> tuple[bytes, Bytes, Bytes]:
    """Root, table and tree of a job."""
    table, tree = np.empty((8192, 1024), np.uint8), np.empty((16383, 64), np.uint8)
    buffers = allocate(context, table.nbytes), allocate(context, tree.nbytes)
    root = run(builder.prepare(job, *buffers))
    download(context, buffers[0], table)
    download(context, buffers[1], tree)
    return root, table, tree


@pytest.mark.parametrize("known", JOBS[:2], ids=lambda known: known["hard_nonce"])
def test_a_job_is_ready_to_be_searched(
    context: DeviceContext, builder: TableBuilder, known: dict[str, Any]
) -> None:
    announcement = bytes.fromhex(known["anns"][0]["bytes"])
    header = AnnouncementHeader.decode(announcement).with_soft_nonce(0)
    job = AnnouncementJob(header, bytes.fromhex(known["parent_block_hash"]))
    root, table, tree = prepare(context, builder, job)

    assert root == announcement[920:984]
    leaves = [tree[number].tobytes() for number in SOME_ITEMS]
    assert leaves == [h64(leaf) for leaf in some_items(job.table0_seeds())]
    plain = MerkleTree(node.tobytes() for node in tree[:8192])
    assert tree.tobytes() == b"".join(node for level in plain.levels for node in level)
    items = [table[number].tobytes() for number in SOME_ITEMS]
    assert items == some_items(job.table1_seeds(root))


def test_giving_up_leaves_the_builder_usable(context: DeviceContext, builder: TableBuilder) -> None:
    header = AnnouncementHeader(hard_nonce=1, work_bits=0x207FFFFF, parent_height=1)
    abandoned = AnnouncementJob(header, bytes(32))
    steps = builder.prepare(abandoned, allocate(context, 8192 << 10), allocate(context, 16383 * 64))
    next(steps)
    next(steps)
    steps.close()
    job = AnnouncementJob(header, bytes([1]) * 32)
    root, table, _ = prepare(context, builder, job)
    items = [table[number].tobytes() for number in SOME_ITEMS]
    assert items == some_items(job.table1_seeds(root))
