"""How fast a device checks announcements of others: the best case and the worst."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.job_runner import mine_job
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.steady_run import jobs_of, workload
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.errors import ConfigError, DeviceError, ProgramError
from packetcrypt.protocol.validation import AnnouncementCheck

_Announcements = npt.NDArray[np.uint8]

#: So easy that a job is small: about 512 announcements, as at any difficulty, in 1024 nonces.
_WORK: Final = workload(0x207FFFFF)

#: Announcements of jobs of their own are mined for this share of the time, one a job, …
_MINING_SHARE: Final = 0.5
#: … within these bounds.
_FEWEST: Final = 8
_MOST: Final = 1024


@dataclass(frozen=True)
class CheckBenchmark:
    """How many announcements one device checks.

    device, index, driver             : which one
    announcements_per_second          : of one whole job, which share their two random programs
    announcements                     : how many those are
    distinct_announcements_per_second : no two of a job: each has random programs of its own, which
                                        the device has never seen
    distinct_announcements            : how many those are
    known_answers                     : the device passed the self-test, and found all of them good
    """

    device: str
    index: str
    driver: str
    announcements_per_second: float
    announcements: int
    distinct_announcements_per_second: float
    distinct_announcements: int
    known_answers: bool


def benchmark_checks(
    device: DeviceInfo,
    seconds: float,
    threads: int | None = None,
    opener: Callable[[DeviceInfo, int | None], AnnouncementKernels] = open_kernels,
) -> CheckBenchmark:
    """Measure one device, in the calling thread, for about `seconds`.

    Half of the time goes into mining what is checked, which the device does itself. Raises
    `ConfigError` for a time that is not positive, `DeviceError` if the device fails or computes
    wrongly.
    """
    if not seconds > 0:
        raise ConfigError(f"{seconds} seconds are no time to measure: give more than 0")
    with ready_kernels(device, partial(opener, device, threads)) as kernels:
        mined = _mined_jobs(kernels)
        one_job = next(mined)
        distinct = _one_of_each(mined, seconds * _MINING_SHARE)
        # What is remembered of programs must not help, so these are checked only once. The other
        # job goes first: runtimes load kernels at their first launch.
        _check(kernels, device, one_job)
        distinct_rate = len(distinct) / _check(kernels, device, distinct)
        rate = _repeated(partial(_check, kernels, device, one_job), len(one_job), seconds / 2)
    return CheckBenchmark(
        device=device.name,
        index=device.index,
        driver=f"{device.platform} {device.driver}",
        announcements_per_second=rate,
        announcements=len(one_job),
        distinct_announcements_per_second=distinct_rate,
        distinct_announcements=len(distinct),
        known_answers=True,
    )


def _mined_jobs(kernels: AnnouncementKernels) -> Iterator[_Announcements]:
    """The announcements of the workload, job by job."""
    for job in jobs_of(_WORK):
        try:
            yield mine_job(kernels, job)
        except ProgramError:
            continue


def _one_of_each(mined: Iterator[_Announcements], seconds: float) -> _Announcements:
    """One announcement of every job that can be mined in time."""
    chosen: list[_Announcements] = []
    start = time.monotonic()
    for announcements in islice(mined, _MOST):
        chosen.append(announcements[:1])
        if len(chosen) >= _FEWEST and time.monotonic() - start >= seconds:
            break
    return np.concatenate(chosen)


def _repeated(check: Callable[[], float], count: int, seconds: float) -> float:
    """Announcements a second of `check`, which takes `count`, over at least `seconds`."""
    spent, checks = 0.0, 0
    while spent < seconds:
        spent += check()
        checks += 1
    return count * checks / spent


def _check(
    kernels: AnnouncementKernels, device: DeviceInfo, announcements: _Announcements
) -> float:
    """Seconds that checking takes; raises `DeviceError` if not all are found good."""
    parents = np.tile(np.frombuffer(_WORK.parent_hash, np.uint8), (len(announcements), 1))
    start = time.monotonic()
    results = kernels.check(announcements, parents).results
    seconds = time.monotonic() - start
    if (results != AnnouncementCheck.OK).any():
        raise DeviceError(
            f"device {device} computes wrongly under load: it does not find its own announcements "
            "good. Reset any overclocking, update its driver, or leave it out (--device chooses "
            "others)."
        )
    return seconds
