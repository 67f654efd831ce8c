"""What a device mines while it is measured: a workload that is the same everywhere.

Hard nonces 0, 1, 2, … of one made-up block. What the first job has is compared with the known
answer, so a device that miscomputes under load has no figures.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.known_answers import benchmark_answer
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.search_pipeline import Searched, SearchPipeline, SearchRange
from packetcrypt.engine.selftest import soft_nonces_of
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32

_PARENT_HASH: Final = bytes(range(32))
_PARENT_HEIGHT: Final = 1_000_000

#: Results of the first job up to this soft nonce, or its last one, are compared.
_LAST_KNOWN: Final = 4095


def workload(work_bits: int) -> AnnouncementWork:
    """The fixed work with these bits; raises `ConfigError` for impossible ones."""
    return AnnouncementWork(
        parent_hash=_PARENT_HASH, parent_height=_PARENT_HEIGHT, work_bits=work_bits
    )


def jobs_of(work: AnnouncementWork) -> Iterator[AnnouncementJob]:
    """Its jobs, without end."""
    hard_nonce = 0
    while True:
        yield work.job(hard_nonce)
        hard_nonce += 1


@dataclass(frozen=True)
class Landing:
    """A finished launch.

    time          : time.monotonic when its results were there
    nonces        : soft nonces searched
    announcements : how many were found
    first         : the first of them, 1024 bytes, and its dedup key
    """

    time: float
    nonces: int
    announcements: int
    first: tuple[bytes, int] | None


class SteadyRun:
    """Mines the workload for a while, and again, without stopping in between."""

    def __init__(
        self, kernels: AnnouncementKernels, work: AnnouncementWork, size: LaunchSize
    ) -> None:
        ranges = (SearchRange.whole(job) for job in jobs_of(work))
        self._steps = SearchPipeline(kernels, ranges, launch_size=size).run()
        self._first_job: AnnouncementJob | None = None
        self._first_found: list[npt.NDArray[np.uint8]] = []
        self._first_searched = 0

    def mine(self, seconds: float) -> list[Landing]:
        """Mine on, from one landing to another: no launch is counted in part. At least two."""
        landings = [self._next_landing(), self._next_landing()]
        while landings[-1].time - landings[0].time < seconds:
            landings.append(self._next_landing())
        return landings

    def compare_with_known(self, device: DeviceInfo) -> None:
        """Raise `DeviceError` if what the first job had is not what it should have been.

        Mines on if too little of it was searched. For most work bits nothing is known.
        """
        while self._first_job is None or self._first_searched <= _last_known(self._first_job):
            self._next_landing()
        last = _last_known(self._first_job)
        found = np.concatenate(self._first_found)
        found = found[soft_nonces_of(found) <= last]
        known = benchmark_answer(self._first_job.header.work_bits)
        if known is not None and h32(found.tobytes()) != known:
            raise DeviceError(
                f"device {device} computes wrongly under load: the first {last + 1} soft nonces of "
                "the benchmark have other announcements than they should. Reset any overclocking, "
                "update its driver, or leave it out (--device chooses others)."
            )

    def close(self) -> None:
        """Stop preparing."""
        self._steps.close()

    def _next_landing(self) -> Landing:
        for searched in self._steps:
            if searched is not None:
                self._keep_first(searched)
                found = searched.found
                count = len(found.keys)
                first = (found.announcements[0].tobytes(), int(found.keys[0])) if count else None
                return Landing(time.monotonic(), searched.nonces, count, first)
        raise AssertionError("the jobs have no end")

    def _keep_first(self, searched: Searched) -> None:
        """Keep what the beginning of the first job had; launches land in order."""
        if self._first_job is None:
            self._first_job = searched.job
        if searched.job is self._first_job and self._first_searched <= _last_known(searched.job):
            self._first_found.append(searched.found.announcements)
            self._first_searched += searched.nonces


def _last_known(job: AnnouncementJob) -> int:
    return min(_LAST_KNOWN, job.soft_nonce_max)
