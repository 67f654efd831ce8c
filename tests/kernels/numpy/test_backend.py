"""The NumPy backends as the engine drives them: whole jobs, ranges, cancellation, refusals."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy_jobs import JOBS, job_of, prepare, search_all

from packetcrypt.kernels.interface import AnnouncementKernels, PreparedJob, StageSeconds
from packetcrypt.kernels.numpy.backend import NumpyKernels
from packetcrypt.kernels.numpy.process_backend import NumpyProcessKernels
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32


@pytest.fixture(scope="module", params=[1, 2], ids=["in-process", "two processes"])
def kernels(request: pytest.FixtureRequest) -> Iterator[AnnouncementKernels]:
    opened = (
        NumpyKernels()
        if request.param == 1
        else NumpyProcessKernels(Tuning.for_numpy(request.param))
    )
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def first_job(kernels: AnnouncementKernels) -> PreparedJob:
    """The first known job, in slot 1."""
    return prepare(kernels, job_of(JOBS[0]), slot=1)


@pytest.fixture(scope="module")
def first_tables() -> PreparedJob:
    """The first known job, for any kernels that compute in this process."""
    return prepare(NumpyKernels(), job_of(JOBS[0]))


@pytest.mark.parametrize("case", JOBS, ids=lambda case: f"{case['hard_nonce']}")
def test_known_jobs(case: dict[str, Any], kernels: AnnouncementKernels) -> None:
    found = search_all(kernels, prepare(kernels, job_of(case)), case["searched_end"])

    assert len(found.soft_nonces) == case["count"]
    soft_nonces = found.soft_nonces.astype("<u4").tobytes()
    assert hashlib.sha256(soft_nonces).hexdigest() == case["soft_nonces_sha256"]
    assert h32(found.announcements.tobytes()).hex() == case["anns_blake2b_256"]
    assert found.keys.tolist() == [dedup_key(row.tobytes()) for row in found.announcements]


FIRST_NONCES = JOBS[0]["soft_nonces_first"]


@pytest.mark.parametrize(
    ("first", "count"),
    [
        pytest.param(FIRST_NONCES[0], 1, id="exactly one find"),
        pytest.param(FIRST_NONCES[0] + 1, FIRST_NONCES[1] - FIRST_NONCES[0] - 1, id="none"),
        pytest.param(FIRST_NONCES[3], 300, id="less than a batch a thread"),
        pytest.param(100, 4097, id="odd"),
        pytest.param(100, 0, id="empty"),
    ],
)
def test_ranges(
    kernels: AnnouncementKernels, first_job: PreparedJob, first: int, count: int
) -> None:
    found = kernels.search(first_job, first, count).result()
    assert found.soft_nonces.tolist() == [
        nonce for nonce in FIRST_NONCES if first <= nonce < first + count
    ]
    assert found.announcements.shape == (len(found.soft_nonces), 1024)
    assert found.keys.shape == found.soft_nonces.shape


def test_a_cancelled_search_returns_soon(
    kernels: AnnouncementKernels, first_job: PreparedJob
) -> None:
    polls: list[bool] = []

    def cancelled() -> bool:
        polls.append(len(polls) >= 3)
        return polls[-1]

    found = kernels.search(first_job, 0, kernels.max_launch, cancelled).result()

    assert polls == [False, False, False, True]  # and then it is not asked again
    assert set(found.soft_nonces.tolist()) <= set(FIRST_NONCES)


def test_what_was_found_before_the_cancellation_is_kept(first_tables: PreparedJob) -> None:
    kernels = NumpyKernels()
    polls = 0

    def cancelled() -> bool:
        nonlocal polls
        polls += 1
        return polls > 3000

    found = kernels.search(first_tables, 0, kernels.max_launch, cancelled).result()

    nonces = found.soft_nonces.tolist()
    assert 0 < len(nonces) < JOBS[0]["count"]
    assert nonces[: len(FIRST_NONCES)] == FIRST_NONCES[: len(nonces)]


def test_cancelling_does_not_outlive_its_search(
    kernels: AnnouncementKernels, first_job: PreparedJob
) -> None:
    assert not len(kernels.search(first_job, 0, 5000, lambda: True).result().soft_nonces)
    found = kernels.search(first_job, 0, FIRST_NONCES[4] + 1).result()
    assert found.soft_nonces.tolist() == FIRST_NONCES[:5]


def test_preparing_can_be_given_up(kernels: AnnouncementKernels, first_job: PreparedJob) -> None:
    steps = kernels.prepare(job_of(JOBS[1]), 0)
    next(steps)
    steps.close()
    found = kernels.search(first_job, 0, FIRST_NONCES[0] + 1).result()
    assert found.soft_nonces.tolist() == FIRST_NONCES[:1]


def test_a_launch_that_is_too_long(kernels: AnnouncementKernels, first_job: PreparedJob) -> None:
    with pytest.raises(DeviceError, match="over the limit"):
        kernels.search(first_job, 0, kernels.max_launch + 1)


def test_a_job_that_other_kernels_prepared(kernels: AnnouncementKernels) -> None:
    class Foreign:
        job = job_of(JOBS[0])
        root = bytes(64)

    with pytest.raises(DeviceError, match="is no job prepared by"):
        kernels.search(Foreign(), 0, 1)


def test_a_tuning_changes_how_a_search_is_cut_and_not_what_it_finds(
    first_tables: PreparedJob,
) -> None:
    tuned = NumpyKernels(tuning=Tuning(batch=512, work_items=1, rounds=2))
    assert (tuned.launch_quantum, tuned.max_launch) == (512, 1024)

    found = tuned.search(first_tables, 0, 1024).result()

    expected = NumpyKernels().search(first_tables, 0, 1024).result()
    assert found.soft_nonces.tolist() == expected.soft_nonces.tolist()
    assert np.array_equal(found.announcements, expected.announcements)


def test_stages_are_timed(kernels: AnnouncementKernels, first_job: PreparedJob) -> None:
    kernels.stage_seconds()
    kernels.search(first_job, 0, 512).result()

    seconds = kernels.stage_seconds()

    assert seconds is not None
    assert seconds.tables == 0
    assert seconds.search > seconds.finishing > 0
    assert kernels.stage_seconds() == StageSeconds(0, 0, 0)
