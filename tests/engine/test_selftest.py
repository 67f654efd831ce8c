"""The self-test: real devices pass it, and every kind of error is named."""

from dataclasses import replace

import numpy as np
import pytest
from vector_files import load_vectors

from packetcrypt.engine import selftest
from packetcrypt.engine.device_info import DeviceInfo, numpy_device
from packetcrypt.engine.job_runner import JobCancelled
from packetcrypt.engine.known_answers import KnownJob, known_jobs
from packetcrypt.engine.selftest import self_test, soft_nonces_of
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.errors import DeviceError

VECTORS = {job["hard_nonce"]: job for job in load_vectors("ann_jobs")["jobs"]}


@pytest.mark.parametrize("known", known_jobs(), ids=lambda known: known.job.header.hard_nonce)
def test_the_known_answers_are_those_of_the_original(known: KnownJob) -> None:
    vector = VECTORS[known.job.header.hard_nonce]

    assert known.job.parent_hash.hex() == vector["parent_block_hash"]
    assert known.job.soft_nonce_max == vector["soft_nonce_max"]
    firsts = vector["soft_nonces_first"][: len(known.soft_nonces)]
    assert list(known.soft_nonces[: len(firsts)]) == firsts
    if known.last == vector["searched_end"] - 1:
        assert known.announcements_hash.hex() == vector["anns_blake2b_256"]


def test_pocl_passes(pocl_kernels: AnnouncementKernels, pocl: DeviceInfo) -> None:
    self_test(pocl_kernels, pocl)


def test_numpy_passes(numpy_kernels: AnnouncementKernels) -> None:
    self_test(numpy_kernels, numpy_device())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"soft_nonces": (1, 2, 3)}, "instead of 3"),
        ({"announcements_hash": bytes(32)}, "wrong contents"),
    ],
)
def test_a_difference_names_the_device_and_the_remedy(
    pocl_kernels: AnnouncementKernels,
    pocl: DeviceInfo,
    monkeypatch: pytest.MonkeyPatch,
    change: dict,
    message: str,
) -> None:
    wrong = (replace(known_jobs()[0], **change),)
    monkeypatch.setattr(selftest, "known_jobs", lambda: wrong)

    with pytest.raises(DeviceError, match=message) as failed:
        self_test(pocl_kernels, pocl)

    assert pocl.name in str(failed.value)
    assert "--device" in str(failed.value)


def test_a_device_that_checks_wrongly_fails(
    pocl_kernels: AnnouncementKernels, pocl: DeviceInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = pocl_kernels.check

    def credulous(announcements, parents):  # type: ignore[no-untyped-def]
        checked = check(announcements, parents)
        return replace(checked, results=np.zeros_like(checked.results))

    monkeypatch.setattr(pocl_kernels, "check", credulous)

    with pytest.raises(DeviceError, match="judges known announcements"):
        self_test(pocl_kernels, pocl)


def test_it_can_be_cancelled(pocl_kernels: AnnouncementKernels, pocl: DeviceInfo) -> None:
    with pytest.raises(JobCancelled):
        self_test(pocl_kernels, pocl, cancelled=lambda: True)


def test_soft_nonces_are_u24() -> None:
    announcements = np.zeros((2, 1024), np.uint8)
    announcements[1, 1:4] = (0x56, 0x34, 0x12)

    assert soft_nonces_of(announcements).tolist() == [0, 0x123456]
