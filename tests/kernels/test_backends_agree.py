"""NumPy against OpenCL against protocol/, on random jobs: same announcements, same verdicts."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packetcrypt.engine.job_runner import mine_job
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.kernels.numpy.backend import NumpyKernels
from packetcrypt.kernels.opencl.backend import OpenCLKernels
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.validation import check_announcement

SEARCHED = 256
"""soft nonces of each job; with the easiest work bits half of them are announcements"""

U32 = st.integers(0, 0xFFFFFFFF)
HASHES = st.binary(min_size=32, max_size=32)
JOBS = st.builds(
    AnnouncementJob,
    header=st.builds(
        AnnouncementHeader,
        hard_nonce=U32,
        work_bits=st.sampled_from([0x207FFFFF, 0x2040ABCD, 0x201FFFFF]),
        parent_height=U32,
        content_type=U32,
        content_length=U32,
        content_hash=HASHES,
        signing_key=HASHES,
    ),
    parent_hash=HASHES,
)


@pytest.fixture(scope="module")
def backends() -> Iterator[list[AnnouncementKernels]]:
    device = cl.get_platforms()[0].get_devices()[0]
    opened = [OpenCLKernels(device), NumpyKernels()]
    yield opened
    for kernels in opened:
        kernels.close()


def _spoiled(
    announcements: npt.NDArray[np.uint8], byte: int, row: int
) -> tuple[npt.NDArray[np.uint8], int]:
    changed = announcements[:8].copy()
    row %= len(changed)
    changed[row, byte] ^= 1
    return changed, row


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(job=JOBS, byte=st.integers(0, 1023), row=st.integers(0, 7))
def test_random_jobs(
    backends: list[AnnouncementKernels], job: AnnouncementJob, byte: int, row: int
) -> None:
    opencl, numpy = (mine_job(kernels, job, 0, SEARCHED - 1) for kernels in backends)
    np.testing.assert_array_equal(opencl, numpy)
    assert len(opencl) > 0

    changed, row = _spoiled(opencl, byte, row)
    parents = np.tile(np.frombuffer(job.parent_hash, np.uint8), (len(changed), 1))
    by_opencl, by_numpy = (kernels.check(changed, parents) for kernels in backends)
    np.testing.assert_array_equal(by_opencl.results, by_numpy.results)
    np.testing.assert_array_equal(by_opencl.work_hashes, by_numpy.work_hashes)
    np.testing.assert_array_equal(by_opencl.keys, by_numpy.keys)

    for index in {0, row}:
        announcement = changed[index].tobytes()
        referee = check_announcement(announcement, job.parent_hash)
        assert by_opencl.results[index] == referee.result
        assert by_opencl.work_hashes[index].tobytes() == (referee.work_hash or bytes(32))
        assert int(by_opencl.keys[index]) == dedup_key(announcement)
