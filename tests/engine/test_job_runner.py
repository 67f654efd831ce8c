"""One job from its first to its last nonce, against the known jobs (NumPy: test_selftest)."""

import pytest
from vector_files import load_vectors

from packetcrypt.engine.job_runner import JobCancelled, mine_job
from packetcrypt.engine.selftest import soft_nonces_of
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError

VECTORS = load_vectors("ann_jobs")["jobs"]
EASY = VECTORS[2]
"""half of its 1008 nonces are announcements"""


def job_of(vector: dict) -> AnnouncementJob:
    header = AnnouncementHeader(
        hard_nonce=vector["hard_nonce"],
        work_bits=int(vector["work_bits"], 16),
        parent_height=vector["parent_block_height"],
        signing_key=bytes.fromhex(vector["signing_key"]),
        content_type=vector["content_type"],
        content_length=vector["content_length"],
    )
    return AnnouncementJob(header, bytes.fromhex(vector["parent_block_hash"]))


@pytest.mark.parametrize("vector", VECTORS, ids=[f"job{n}" for n in range(len(VECTORS))])
def test_a_range_of_a_known_job_gives_its_announcements(
    pocl_kernels: AnnouncementKernels, vector: dict
) -> None:
    wanted = vector["soft_nonces_first"][:40]

    announcements = mine_job(pocl_kernels, job_of(vector), 0, wanted[-1])

    assert soft_nonces_of(announcements).tolist() == wanted
    given = {entry["soft_nonce"]: entry["bytes"] for entry in vector["anns"]}
    for row, soft_nonce in zip(announcements, wanted, strict=True):
        if soft_nonce in given:
            assert row.tobytes().hex() == given[soft_nonce]


def test_a_range_begins_and_ends_where_it_is_told(pocl_kernels: AnnouncementKernels) -> None:
    last_ones = EASY["soft_nonces_last"]

    announcements = mine_job(pocl_kernels, job_of(EASY), last_ones[0], last_ones[-2])

    assert soft_nonces_of(announcements).tolist() == last_ones[:-1]


def test_the_whole_job_ends_at_the_soft_nonce_maximum(pocl_kernels: AnnouncementKernels) -> None:
    progress: list[tuple[int, int]] = []

    announcements = mine_job(
        pocl_kernels, job_of(EASY), progress=lambda *report: progress.append(report)
    )

    # The original stops 16 nonces short of the maximum that it accepts.
    soft_nonces = soft_nonces_of(announcements)
    assert (soft_nonces < EASY["searched_end"]).sum() == EASY["count"]
    assert soft_nonces.max() <= EASY["soft_nonce_max"]
    assert progress[-1] == (1024, 1024)


def test_no_announcements_have_the_shape_of_none(pocl_kernels: AnnouncementKernels) -> None:
    first = VECTORS[0]["soft_nonces_first"][0]

    announcements = mine_job(pocl_kernels, job_of(VECTORS[0]), 0, first - 1)

    assert announcements.shape == (0, 1024)


def test_a_cancelled_job_says_so(pocl_kernels: AnnouncementKernels) -> None:
    asked = iter(range(10**9))

    with pytest.raises(JobCancelled, match="given up"):
        mine_job(pocl_kernels, job_of(VECTORS[3]), cancelled=lambda: next(asked) > 20)


@pytest.mark.parametrize(("first", "last"), [(-1, 5), (6, 5), (0, 1024), (1024, None)])
def test_an_impossible_range_is_refused_with_the_possible_one(
    pocl_kernels: AnnouncementKernels, first: int, last: int | None
) -> None:
    with pytest.raises(ConfigError, match="from 0 to 1023"):
        mine_job(pocl_kernels, job_of(EASY), first, last)


def test_impossible_work_bits_are_refused(pocl_kernels: AnnouncementKernels) -> None:
    header = AnnouncementHeader(hard_nonce=0, work_bits=0x21000001, parent_height=0)

    with pytest.raises(ConfigError, match="0x21000001"):
        mine_job(pocl_kernels, AnnouncementJob(header, bytes(32)))
