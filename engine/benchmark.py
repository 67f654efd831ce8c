"""How fast a device mines announcements, measured as it mines."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.opening import default_tuning, open_kernels, tuning_of
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.recheck import Sample, disagreement
from packetcrypt.engine.stage_times import time_stages
from packetcrypt.engine.steady_run import Landing, SteadyRun, jobs_of, workload
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels, StageSeconds
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import ConfigError, DeviceError, ProgramError

#: The example that the network's miners are compared with: a job has 65536 nonces and about 512
#: announcements.
WORK_BITS: Final = 0x2001FFFF

#: Length of the slices whose speeds say how steady the device was; of short runs a fifth.
_SLICE_S: Final = 1.0

#: Announcements of the run that the plain implementation re-checks, 25 to 50 ms each.
_RECHECKED: Final = 4

Opener = Callable[[DeviceInfo, int | None], AnnouncementKernels]

_open_profiled: Final[Opener] = partial(open_kernels, profile=True)


@dataclass(frozen=True)
class AnnouncementBenchmark:
    """What one device did in `seconds`, with the preparing of jobs included, as in mining.

    device, index, driver    : which one
    tuning                   : what it was opened with
    tuned                    : that is not the default, but what `packetcrypt tune` found
    work_bits                : compact target of the workload
    hashes_per_second        : soft nonces searched, over the whole time
    announcements_per_second : announcements found, over the whole time
    slices                   : hashes a second in each slice of about a second
    slices_median, slices_lowest, slices_highest : of those
    prepare_seconds          : time to prepare one job with nothing else going on
    stages                   : seconds that the device computes for one job, from a run of their own
    known_answers            : this run reproduced the known jobs of the self-test, and what is
                               known of the workload (with work bits 2001ffff and 207fffff)
    rechecked                : announcements of this run that the plain implementation agreed with
    """

    device: str
    index: str
    driver: str
    tuning: Tuning
    tuned: bool
    work_bits: int
    seconds: float
    hashes_per_second: float
    announcements_per_second: float
    slices: tuple[float, ...]
    slices_median: float
    slices_lowest: float
    slices_highest: float
    prepare_seconds: float
    stages: StageSeconds | None
    known_answers: bool
    rechecked: int


def benchmark_announcements(
    device: DeviceInfo,
    seconds: float,
    work_bits: int = WORK_BITS,
    threads: int | None = None,
    opener: Opener = open_kernels,
    profiling_opener: Opener = _open_profiled,
) -> AnnouncementBenchmark:
    """Measure one device for `seconds`, in the calling thread.

    Before it the device passes the self-test, which also makes it compile its kernels, and
    mines for a tenth of the time without being measured: clocks rise, launches find their size.
    Raises `ConfigError` for a time that is not positive or impossible work bits, `DeviceError` if
    the device fails or computes wrongly.
    """
    if not seconds > 0:
        raise ConfigError(f"{seconds} seconds are no time to measure: give more than 0")
    work = workload(work_bits)
    tuning = tuning_of(device, threads)
    with ready_kernels(device, partial(opener, device, threads)) as kernels:
        prepare_seconds = _time_preparation(kernels, work)
        with closing(SteadyRun(kernels, work, LaunchSize.of(device, kernels))) as run:
            run.mine(seconds / 10)
            landings = run.mine(seconds)
            run.compare_with_known(device)
    elapsed = landings[-1].time - landings[0].time
    slices = _slices(landings, min(_SLICE_S, seconds / 5))
    lowest, median, highest = np.quantile(slices, (0, 0.5, 1)).tolist()
    return AnnouncementBenchmark(
        device=device.name,
        index=device.index,
        driver=f"{device.platform} {device.driver}",
        tuning=tuning,
        tuned=tuning != default_tuning(device, threads),
        work_bits=work_bits,
        seconds=elapsed,
        hashes_per_second=sum(landing.nonces for landing in landings[1:]) / elapsed,
        announcements_per_second=sum(landing.announcements for landing in landings[1:]) / elapsed,
        slices=slices,
        slices_median=median,
        slices_lowest=lowest,
        slices_highest=highest,
        prepare_seconds=prepare_seconds,
        stages=time_stages(partial(profiling_opener, device, threads), work),
        known_answers=True,
        rechecked=_recheck(device, work, landings),
    )


def _slices(landings: Sequence[Landing], seconds: float) -> tuple[float, ...]:
    """Hashes a second between landings at least `seconds` apart; the rest is left out."""
    rates = []
    begin, nonces = landings[0].time, 0
    for landing in landings[1:]:
        nonces += landing.nonces
        if landing.time - begin >= seconds:
            rates.append(nonces / (landing.time - begin))
            begin, nonces = landing.time, 0
    return tuple(rates) or (nonces / (landings[-1].time - begin),)


def _recheck(device: DeviceInfo, work: AnnouncementWork, landings: Sequence[Landing]) -> int:
    """Have announcements from all over the run re-checked; how many."""
    found = [landing.first for landing in landings if landing.first is not None]
    chosen = found[:: max(1, len(found) // _RECHECKED)][:_RECHECKED]
    for announcement, key in chosen:
        problem = disagreement(Sample(announcement, key, work, verdict=lambda _: None))
        if problem is not None:
            raise DeviceError(
                f"device {device} computes wrongly under load: {problem}. Reset any overclocking, "
                "update its driver, or leave it out (--device chooses others)."
            )
    return len(chosen)


def _time_preparation(kernels: AnnouncementKernels, work: AnnouncementWork) -> float:
    """Seconds to prepare the first job of the workload that is valid."""
    for job in jobs_of(work):
        start = time.monotonic()
        try:
            for _ in kernels.prepare(job, 0):
                pass
        except ProgramError:
            continue
        return time.monotonic() - start
    raise AssertionError("the jobs have no end")
