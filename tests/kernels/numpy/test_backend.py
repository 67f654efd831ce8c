"""The NumPy backend as the engine drives it: whole jobs, ranges, cancellation, refusals."""

import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from vector_files import load_vectors

from packetcrypt.kernels.interface import FoundAnnouncements, PreparedJob, StageSeconds
from packetcrypt.kernels.numpy import backend
from packetcrypt.kernels.numpy.backend import NumpyKernels
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError, DeviceError
from packetcrypt.protocol.primitives import h32

JOBS = load_vectors("ann_jobs")["jobs"]


@pytest.fixture(scope="module")
def kernels() -> Iterator[NumpyKernels]:
    kernels = NumpyKernels(threads=2)
    yield kernels
    kernels.close()


def job_of(case: dict[str, Any]) -> AnnouncementJob:
    header = AnnouncementHeader(
        hard_nonce=case["hard_nonce"],
        work_bits=int(case["work_bits"], 16),
        parent_height=case["parent_block_height"],
        content_type=case["content_type"],
        content_length=case["content_length"],
        signing_key=bytes.fromhex(case["signing_key"]),
    )
    return AnnouncementJob(header, bytes.fromhex(case["parent_block_hash"]))


def prepare(kernels: NumpyKernels, job: AnnouncementJob, slot: int = 0) -> PreparedJob:
    steps = kernels.prepare(job, slot)
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        prepared: PreparedJob = stop.value
        return prepared


@pytest.fixture(scope="module")
def first_job(kernels: NumpyKernels) -> PreparedJob:
    """The first known job, in slot 1."""
    return prepare(kernels, job_of(JOBS[0]), slot=1)


def search_all(kernels: NumpyKernels, prepared: PreparedJob, end: int) -> FoundAnnouncements:
    size = kernels.max_launch
    found = [
        kernels.search(prepared, first, min(size, end - first)).result()
        for first in range(0, end, size)
    ]
    return FoundAnnouncements(
        np.concatenate([part.announcements for part in found]),
        np.concatenate([part.keys for part in found]),
        np.concatenate([part.soft_nonces for part in found]),
    )


@pytest.mark.parametrize("case", JOBS, ids=lambda case: f"{case['hard_nonce']}")
def test_known_jobs(case: dict[str, Any], kernels: NumpyKernels) -> None:
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
def test_ranges(kernels: NumpyKernels, first_job: PreparedJob, first: int, count: int) -> None:
    found = kernels.search(first_job, first, count).result()
    assert found.soft_nonces.tolist() == [
        nonce for nonce in FIRST_NONCES if first <= nonce < first + count
    ]
    assert found.announcements.shape == (len(found.soft_nonces), 1024)
    assert found.keys.shape == found.soft_nonces.shape


def test_a_cancelled_search_returns_soon(kernels: NumpyKernels, first_job: PreparedJob) -> None:
    cancel = threading.Event()
    polls: list[bool] = []

    def cancelled() -> bool:
        polls.append(cancel.is_set())
        if len(polls) == 30:
            cancel.set()
        return polls[-1]

    found = kernels.search(first_job, 0, kernels.max_launch, cancelled).result()

    # Each thread stops at its first poll that says so.
    assert 1 <= sum(polls) <= 2
    assert set(found.soft_nonces.tolist()) <= set(FIRST_NONCES)


def test_what_was_found_before_the_cancellation_is_kept(first_job: PreparedJob) -> None:
    kernels = NumpyKernels(threads=1)
    polls = 0

    def cancelled() -> bool:
        nonlocal polls
        polls += 1
        return polls > 3000

    found = kernels.search(first_job, 0, kernels.max_launch, cancelled).result()
    kernels.close()

    nonces = found.soft_nonces.tolist()
    assert 0 < len(nonces) < JOBS[0]["count"]
    assert nonces[: len(FIRST_NONCES)] == FIRST_NONCES[: len(nonces)]


def test_an_error_in_a_search_is_not_taken_for_its_end(
    kernels: NumpyKernels, first_job: PreparedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> FoundAnnouncements:
        raise IndexError("out of a table")

    monkeypatch.setattr(backend, "search", failing)
    with pytest.raises(IndexError, match="out of a table"):
        kernels.search(first_job, 0, 10)


def test_cancelling_does_not_outlive_its_search(
    kernels: NumpyKernels, first_job: PreparedJob
) -> None:
    assert not len(kernels.search(first_job, 0, 5000, lambda: True).result().soft_nonces)
    found = kernels.search(first_job, 0, FIRST_NONCES[4] + 1).result()
    assert found.soft_nonces.tolist() == FIRST_NONCES[:5]


def test_preparing_can_be_given_up(kernels: NumpyKernels, first_job: PreparedJob) -> None:
    steps = kernels.prepare(job_of(JOBS[1]), 0)
    next(steps)
    steps.close()
    found = kernels.search(first_job, 0, FIRST_NONCES[0] + 1).result()
    assert found.soft_nonces.tolist() == FIRST_NONCES[:1]


def test_refusals(kernels: NumpyKernels, first_job: PreparedJob) -> None:
    with pytest.raises(DeviceError, match="over the limit"):
        kernels.search(first_job, 0, kernels.max_launch + 1)
    with pytest.raises(ConfigError, match="0 threads"):
        NumpyKernels(threads=0)


def test_close_twice() -> None:
    kernels = NumpyKernels(threads=1)
    kernels.close()
    kernels.close()


def test_a_tuning_changes_how_a_search_is_cut_and_not_what_it_finds(
    kernels: NumpyKernels, first_job: PreparedJob
) -> None:
    tuned = NumpyKernels(tuning=Tuning(batch=512, work_items=1, rounds=2))
    assert (tuned.launch_quantum, tuned.max_launch) == (512, 1024)

    found = tuned.search(first_job, 0, 1024).result()
    tuned.close()

    expected = kernels.search(first_job, 0, 1024).result()
    assert found.soft_nonces.tolist() == expected.soft_nonces.tolist()
    assert np.array_equal(found.announcements, expected.announcements)


def test_stages_are_timed(kernels: NumpyKernels, first_job: PreparedJob) -> None:
    kernels.stage_seconds()
    kernels.search(first_job, 0, 512).result()

    seconds = kernels.stage_seconds()

    assert seconds.tables == 0
    assert seconds.search > seconds.finishing > 0
    assert kernels.stage_seconds() == StageSeconds(0, 0, 0)
