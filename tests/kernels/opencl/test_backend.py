"""Whole jobs through OpenCLKernels: every soft nonce and every byte of the known answers."""

import hashlib
from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pyopencl as cl
import pytest
from vector_files import load_vectors

from packetcrypt.kernels.interface import FoundAnnouncements, PreparedJob
from packetcrypt.kernels.opencl.backend import OpenCLKernels
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError, ProgramError
from packetcrypt.protocol.validation import AnnouncementCheck

JOBS = load_vectors("ann_jobs")["jobs"]

Prepared = TypeVar("Prepared")

#: The known job that is searched fastest: 1008 soft nonces, every second one a find.
SMALLEST = min(JOBS, key=lambda case: case["searched_end"])


def job_of(case: dict[str, Any], **changes: int) -> AnnouncementJob:
    fields = {
        "soft_nonce": 0,
        "hard_nonce": case["hard_nonce"],
        "work_bits": int(case["work_bits"], 16),
        "parent_height": case["parent_block_height"],
        "content_type": case["content_type"],
        "content_length": case["content_length"],
        **changes,
    }
    header = AnnouncementHeader(
        content_hash=bytes(32), signing_key=bytes.fromhex(case["signing_key"]), **fields
    )
    return AnnouncementJob(header, bytes.fromhex(case["parent_block_hash"]))


def prepared(kernels: OpenCLKernels, job: AnnouncementJob, slot: int = 0) -> PreparedJob:
    return finished(kernels.prepare(job, slot))


def finished(steps: Generator[None, None, Prepared]) -> Prepared:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def search_all(kernels: OpenCLKernels, job: PreparedJob, end: int) -> FoundAnnouncements:
    """Soft nonces 0..end−1, with as many launches outstanding as are allowed."""
    ranges = [
        range(first, min(first + kernels.max_launch, end))
        for first in range(0, end, kernels.max_launch)
    ]
    results, outstanding = [], []
    for nonces in ranges:
        if len(outstanding) == kernels.launches:
            results.append(outstanding.pop(0).result())
        outstanding.append(kernels.search(job, nonces.start, len(nonces)))
    results += [launch.result() for launch in outstanding]
    return FoundAnnouncements(
        announcements=np.concatenate([found.announcements for found in results]),
        keys=np.concatenate([found.keys for found in results]),
        soft_nonces=np.concatenate([found.soft_nonces for found in results]),
    )


@pytest.fixture(scope="module")
def kernels() -> Generator[OpenCLKernels, None, None]:
    kernels = OpenCLKernels(cl.get_platforms()[0].get_devices()[0])
    yield kernels
    kernels.close()


@pytest.fixture(scope="module")
def scalar_kernels() -> Generator[OpenCLKernels, None, None]:
    """The kernels as GPUs get them, on a CPU; two jobs are prepared together."""
    kernels = OpenCLKernels(cl.get_platforms()[0].get_devices()[0], lanes=1, jobs=2)
    yield kernels
    kernels.close()


def assert_known_answer(found: FoundAnnouncements, case: dict[str, Any]) -> None:
    assert found.soft_nonces.tolist()[:8] == case["soft_nonces_first"][:8]
    nonces = found.soft_nonces.astype("<u4").tobytes()
    assert hashlib.sha256(nonces).hexdigest() == case["soft_nonces_sha256"]
    announcements = found.announcements.tobytes()
    assert hashlib.blake2b(announcements, digest_size=32).hexdigest() == case["anns_blake2b_256"]
    assert found.keys.tolist() == [dedup_key(ann.tobytes()) for ann in found.announcements]


@pytest.mark.parametrize("case", JOBS, ids=lambda case: case["work_bits"])
def test_known_jobs_are_reproduced(kernels: OpenCLKernels, case: dict[str, Any]) -> None:
    job = prepared(kernels, job_of(case))

    assert_known_answer(search_all(kernels, job, case["searched_end"]), case)


def test_the_scalar_kernels_reproduce_a_known_job(scalar_kernels: OpenCLKernels) -> None:
    job = prepared(scalar_kernels, job_of(SMALLEST))

    assert_known_answer(search_all(scalar_kernels, job, SMALLEST["searched_end"]), SMALLEST)


def test_jobs_prepared_together_are_searched_like_others(scalar_kernels: OpenCLKernels) -> None:
    steps = scalar_kernels.prepare_many([job_of(JOBS[0]), job_of(SMALLEST)], slot=1)
    first, second = finished(steps)
    assert not isinstance(first, ProgramError)
    assert not isinstance(second, ProgramError)

    assert first.root == bytes.fromhex(JOBS[0]["anns"][0]["bytes"])[920:984]
    end = SMALLEST["searched_end"]
    assert_known_answer(search_all(scalar_kernels, second, end), SMALLEST)


def test_cpus_prepare_jobs_one_by_one(kernels: OpenCLKernels) -> None:
    assert kernels.jobs_a_preparation == 1
    (job,) = finished(kernels.prepare_many([job_of(SMALLEST)], slot=0))
    assert not isinstance(job, ProgramError)


def test_found_announcements_are_valid(kernels: OpenCLKernels) -> None:
    job = job_of(SMALLEST, hard_nonce=7)
    found = search_all(kernels, prepared(kernels, job), 64)
    parents = np.tile(np.frombuffer(job.parent_hash, np.uint8), (len(found.keys), 1))

    checked = kernels.check(found.announcements, parents)

    assert checked.results.tolist() == [AnnouncementCheck.OK] * len(found.keys)
    assert checked.keys.tolist() == found.keys.tolist()


def test_a_job_is_searched_while_the_other_slot_is_prepared(kernels: OpenCLKernels) -> None:
    end = SMALLEST["searched_end"]
    first = prepared(kernels, job_of(SMALLEST), slot=0)
    preparing = kernels.prepare(job_of(SMALLEST, hard_nonce=1), slot=1)

    launches = []
    for nonce in range(0, end, end // 4):
        next(preparing)
        launches.append(kernels.search(first, nonce, end // 4))
        if len(launches) == kernels.launches:
            results = [launch.result() for launch in launches]
            launches.clear()
            assert all(len(found.keys) for found in results)
    second = finished(preparing)

    assert_known_answer(search_all(kernels, first, end), SMALLEST)
    assert second.root != first.root
    other = search_all(kernels, second, 16).announcements
    assert other[:, 4:8].tobytes() == (1).to_bytes(4, "little") * len(other)


def test_a_given_up_preparation_leaves_the_other_slot_alone(kernels: OpenCLKernels) -> None:
    first = prepared(kernels, job_of(SMALLEST), slot=0)
    preparing = kernels.prepare(job_of(SMALLEST, hard_nonce=1), slot=1)
    for _ in range(3):
        next(preparing)
    preparing.close()

    assert_known_answer(search_all(kernels, first, SMALLEST["searched_end"]), SMALLEST)


def test_more_launches_than_result_buffers_are_refused(kernels: OpenCLKernels) -> None:
    job = prepared(kernels, job_of(SMALLEST))
    launches = [kernels.search(job, 0, 1) for _ in range(kernels.launches)]

    with pytest.raises(DeviceError, match="outstanding"):
        kernels.search(job, 0, 1)

    for launch in launches:
        launch.result()


@pytest.mark.parametrize("count", [0, -1, 10**9])
def test_a_launch_of_impossible_size_is_refused(kernels: OpenCLKernels, count: int) -> None:
    job = prepared(kernels, job_of(SMALLEST))

    with pytest.raises(DeviceError, match="a launch searches"):
        kernels.search(job, 0, count)
