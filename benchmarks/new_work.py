#!/usr/bin/env python3
"""How long after a block does a device search for the next one?

Gives a mining engine new work again and again, and prints, in milliseconds from `engine.start`:
stopped, when the last launch of the old work has ended, and searching, when the first launch of the
new work is enqueued, which is after its first job's tables are made. searching_cpu is the processor
time that passed until then, over all cores; other programs disturb it less than the wall clock.

    benchmarks/new_work.py --device cpu --times 20
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Generator, Sequence

import numpy as np
import numpy.typing as npt

from packetcrypt.engine import AnnouncementEngine, AnnouncementWork
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.opening import open_kernels
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ProgramError


class Watch:
    """When the first launch of each parent block began, and the last one ended."""

    def __init__(self) -> None:
        self.began: dict[bytes, float] = {}
        self.ended: dict[bytes, float] = {}


class WatchedLaunch:
    """A launch that notes when its results were there."""

    def __init__(self, launch: SearchLaunch, ended: Callable[[], None]) -> None:
        self._launch = launch
        self._ended = ended

    def result(self) -> FoundAnnouncements:
        found = self._launch.result()
        self._ended()
        return found


class WatchedKernels(AnnouncementKernels):
    """Kernels that tell a watch what they search."""

    def __init__(self, kernels: AnnouncementKernels, watch: Watch) -> None:
        self._kernels = kernels
        self._watch = watch
        self.max_launch = kernels.max_launch
        self.launch_quantum = kernels.launch_quantum
        self.launches = kernels.launches
        self.jobs_a_preparation = kernels.jobs_a_preparation

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        return self._kernels.prepare(job, slot)

    def prepare_many(
        self, jobs: Sequence[AnnouncementJob], slot: int
    ) -> Generator[None, None, list[PreparedJob | ProgramError]]:
        return self._kernels.prepare_many(jobs, slot)

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        parent = prepared.job.parent_hash
        self._watch.began.setdefault(parent, time.monotonic())

        def ended() -> None:
            self._watch.ended[parent] = time.monotonic()

        return WatchedLaunch(self._kernels.search(prepared, first, count, cancelled), ended)

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        return self._kernels.check(announcements, parent_hashes)

    def close(self) -> None:
        self._kernels.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="default: %(default)s")
    parser.add_argument("--threads", type=int, help="cores of a CPU; default: all")
    parser.add_argument("--times", type=int, default=20, help="default: %(default)s")
    arguments = parser.parse_args()
    watch = Watch()

    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        return WatchedKernels(open_kernels(device, threads), watch)

    stopped_ms, searching_ms, searching_cpu_ms = [], [], []
    with AnnouncementEngine(arguments.device, arguments.threads, opener=opener) as engine:
        engine.start(_work(0))
        assert engine.get() is not None
        for number in range(1, arguments.times + 1):
            # Not always at the same point of a job.
            time.sleep(0.3 + 0.1 * (number * 0.618 % 1))
            old, new = _work(number - 1), _work(number)
            began, cpu_began = time.monotonic(), time.process_time()
            engine.start(new)
            while new.parent_hash not in watch.began:
                engine.get(0.001)
            searching_cpu_ms.append(1000 * (time.process_time() - cpu_began))
            searching_ms.append(1000 * (watch.began[new.parent_hash] - began))
            # Without a launch under way it had stopped before.
            stopped_ms.append(max(0.0, 1000 * (watch.ended.get(old.parent_hash, 0) - began)))
        names = [device.name for device in engine.devices]
    result = {
        "device": ", ".join(names),
        **_sums("stopped", stopped_ms),
        **_sums("searching", searching_ms),
        **_sums("searching_cpu", searching_cpu_ms),
    }
    print(json.dumps(result))


def _work(number: int) -> AnnouncementWork:
    return AnnouncementWork(
        parent_hash=number.to_bytes(32, "big"), parent_height=number, work_bits=0x2001FFFF
    )


def _sums(name: str, milliseconds: list[float]) -> dict[str, float]:
    return {
        f"{name}_median_ms": round(statistics.median(milliseconds), 1),
        f"{name}_max_ms": round(max(milliseconds), 1),
    }


if __name__ == "__main__":
    main()
