"""How fast a device mines announcements, measured as it mines."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.search_pipeline import SearchPipeline, SearchRange
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError, ProgramError

#: The example that the network's miners are compared with: a job has 65536 nonces and 512
#: announcements.
WORK_BITS: Final = 0x2001FFFF

#: The fixed workload: every run, on every machine, mines hard nonces 0, 1, 2, … of this work.
_PARENT_HASH: Final = bytes(range(32))
_PARENT_HEIGHT: Final = 1_000_000


@dataclass(frozen=True)
class AnnouncementBenchmark:
    """What one device did in `seconds`, with the preparing of jobs included, as in mining.

    device                   : name of the device
    work_bits                : compact target of the workload
    hashes_per_second        : soft nonces searched
    announcements_per_second : announcements found
    prepare_seconds          : time to prepare one job with nothing else going on
    known_answers            : this run reproduced the known jobs of the self-test
    """

    device: str
    work_bits: int
    seconds: float
    hashes_per_second: float
    announcements_per_second: float
    prepare_seconds: float
    known_answers: bool


def benchmark_announcements(
    device: DeviceInfo,
    seconds: float,
    work_bits: int = WORK_BITS,
    threads: int | None = None,
    opener: Callable[[DeviceInfo, int | None], AnnouncementKernels] = open_kernels,
) -> AnnouncementBenchmark:
    """Measure one device for `seconds`, in the calling thread.

    Before it the device passes the self-test, which also makes it compile its kernels, and
    mines for a tenth of the time without being measured: clocks rise, launches find their size.
    Raises `ConfigError` for a time that is not positive or impossible work bits, `DeviceError` if
    the device fails or computes wrongly.
    """
    if not seconds > 0:
        raise ConfigError(f"{seconds} seconds are no time to measure: give more than 0")
    work = AnnouncementWork(
        parent_hash=_PARENT_HASH, parent_height=_PARENT_HEIGHT, work_bits=work_bits
    )
    with ready_kernels(device, partial(opener, device, threads)) as kernels:
        prepare_seconds = _time_preparation(kernels, work)
        with closing(_SteadyRun(kernels, work, LaunchSize.of(device, kernels))) as run:
            run.mine(seconds / 10)
            elapsed, nonces, announcements = run.mine(seconds)
    return AnnouncementBenchmark(
        device=device.name,
        work_bits=work_bits,
        seconds=elapsed,
        hashes_per_second=nonces / elapsed,
        announcements_per_second=announcements / elapsed,
        prepare_seconds=prepare_seconds,
        known_answers=True,
    )


class _SteadyRun:
    """One pipeline that is looked at for a while, and again, without stopping in between."""

    def __init__(
        self, kernels: AnnouncementKernels, work: AnnouncementWork, size: LaunchSize
    ) -> None:
        self._steps = SearchPipeline(
            kernels, (SearchRange.whole(job) for job in _jobs(work)), launch_size=size
        ).run()

    def mine(self, seconds: float) -> tuple[float, int, int]:
        """Mine on: (seconds it took, nonces searched, announcements found).

        Begins and ends with a finished launch, so that no launch is counted in part.
        """
        self._next_landing()
        start = time.monotonic()
        nonces = announcements = 0
        while (elapsed := time.monotonic() - start) < seconds:
            searched, found = self._next_landing()
            nonces += searched
            announcements += found
        return elapsed, nonces, announcements

    def close(self) -> None:
        """Stop preparing."""
        self._steps.close()

    def _next_landing(self) -> tuple[int, int]:
        for searched in self._steps:
            if searched is not None:
                return searched.nonces, len(searched.found.keys)
        raise AssertionError("the jobs have no end")


def _jobs(work: AnnouncementWork) -> Iterator[AnnouncementJob]:
    hard_nonce = 0
    while True:
        yield work.job(hard_nonce)
        hard_nonce += 1


def _time_preparation(kernels: AnnouncementKernels, work: AnnouncementWork) -> float:
    """Seconds to prepare the first job of the workload that is valid."""
    for job in _jobs(work):
        start = time.monotonic()
        try:
            for _ in kernels.prepare(job, 0):
                pass
        except ProgramError:
            continue
        return time.monotonic() - start
    raise AssertionError("the jobs have no end")
