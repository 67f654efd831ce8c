"""Does a device compute the right answers? Asked before its first work.

A device that miscomputes (overclocking, a broken driver, a compiler that optimises too much) looks
healthy and earns nothing, so it must reproduce known jobs, and tell good announcements from bad
ones, before it starts.
"""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.job_runner import mine_job
from packetcrypt.engine.known_answers import KnownJob, known_jobs
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE
from packetcrypt.protocol.errors import DeviceError, ProgramError
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.validation import AnnouncementCheck

#: Announcements of a known job that go through `check`, and as many corrupted ones beside them.
_CHECKED: Final = 2

#: The byte that is corrupted: in the encrypted Merkle branch, so the whole check runs.
_CORRUPTED_BYTE: Final = 500

#: NumPy needs a second or two to prepare one job; another would tell little more than the first.
_TIME_FOR_MORE_S: Final = 1.0


def self_test(
    kernels: AnnouncementKernels,
    device: DeviceInfo,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Mine and check the known jobs: the first always, the others while it has been quick.

    Raises `DeviceError` naming the device, what differed and the remedy; `JobCancelled` when
    `cancelled` turns true.
    """
    start = time.monotonic()
    for known in known_jobs():
        if time.monotonic() - start > _TIME_FOR_MORE_S:
            return
        try:
            announcements = mine_job(
                kernels, known.job, known.first, known.last, cancelled=cancelled
            )
        except ProgramError as error:
            raise _failed(device, f"it finds a valid random program invalid ({error})") from error
        _compare(device, known, announcements)
        _compare_checks(kernels, device, known, announcements[:_CHECKED])


def _compare(device: DeviceInfo, known: KnownJob, announcements: npt.NDArray[np.uint8]) -> None:
    found = tuple(soft_nonces_of(announcements).tolist())
    if found != known.soft_nonces:
        wrong = sorted(set(found) ^ set(known.soft_nonces))
        raise _failed(
            device,
            f"of the known job with hard nonce {known.job.header.hard_nonce} it finds "
            f"{len(found)} announcements instead of {len(known.soft_nonces)}; "
            f"the first soft nonces in dispute are {wrong[:5]}",
        )
    if h32(announcements.tobytes()) != known.announcements_hash:
        raise _failed(
            device,
            f"the announcements that it makes for the known job with hard nonce "
            f"{known.job.header.hard_nonce} have wrong contents",
        )


def _compare_checks(
    kernels: AnnouncementKernels,
    device: DeviceInfo,
    known: KnownJob,
    good: npt.NDArray[np.uint8],
) -> None:
    corrupted = good.copy()
    corrupted[:, _CORRUPTED_BYTE] ^= 1
    both = np.concatenate([good, corrupted])
    parents = np.tile(np.frombuffer(known.job.parent_hash, np.uint8), (len(both), 1))
    verdicts = kernels.check(both, parents).results.tolist()
    expected = [AnnouncementCheck.OK] * len(good) + [AnnouncementCheck.INVAL] * len(good)
    if verdicts != expected:
        raise _failed(device, f"it judges known announcements as {verdicts}, not {expected}")


def soft_nonces_of(announcements: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """The soft nonces of (n, 1024) announcements, (n,) uint32."""
    digits = announcements.view(ANNOUNCEMENT_DTYPE)["soft_nonce"].reshape(-1, 3).astype(np.uint32)
    combined: npt.NDArray[np.uint32] = digits @ np.array([1, 1 << 8, 1 << 16], np.uint32)
    return combined


def _failed(device: DeviceInfo, what: str) -> DeviceError:
    return DeviceError(
        f"device {device} failed its self-test: {what}. Nothing that it computes can be trusted. "
        "Reset any overclocking, update its driver, or leave the device out (--device chooses "
        "others)."
    )
