#!/usr/bin/env python3
"""How many announcements of others does a device check a second?

Mines the announcements first (or reads them from --file, where an earlier run left them), then
checks one batch of them again and again: --each of --jobs different jobs, mixed. On a CPU with
PoCL, one core is

    POCL_MAX_PTHREAD_COUNT=1 taskset -c 1 benchmarks/checks.py --jobs 256 --each 1 --threads 1

Prints a JSON object; checks_per_cpu_s counts processor time, which other programs on the machine
disturb less than the wall clock.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.opening import open_kernels
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE, AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.validation import AnnouncementCheck

#: So easy that every second soft nonce of the 1024 that there are is an announcement.
WORK_BITS = 0x207FFFFF
PARENT_HASH = bytes(range(32))

Announcements = npt.NDArray[np.uint8]


def mine(kernels: AnnouncementKernels, jobs: int, each: int) -> Announcements:
    """(jobs, each, 1024) announcements."""
    mined = [_mine_job(kernels, hard_nonce)[:each] for hard_nonce in range(jobs)]
    return np.stack(mined)


def _mine_job(kernels: AnnouncementKernels, hard_nonce: int) -> Announcements:
    header = AnnouncementHeader(hard_nonce=hard_nonce, work_bits=WORK_BITS, parent_height=1)
    steps = kernels.prepare(AnnouncementJob(header, PARENT_HASH), slot=0)
    while True:
        try:
            next(steps)
        except StopIteration as prepared:
            return kernels.search(prepared.value, 0, 1024).result().announcements


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="default: %(default)s")
    parser.add_argument("--threads", type=int, help="cores of a CPU; default: all")
    parser.add_argument("--jobs", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--each", type=int, default=1, help="at most about 480; default: 1")
    parser.add_argument("--seconds", type=float, default=3.0, help="default: %(default)s")
    parser.add_argument("--file", type=Path, help="keep the announcements here (.npy)")
    arguments = parser.parse_args()
    jobs, each = arguments.jobs, arguments.each
    (device,) = select_devices(arguments.device)
    kernels = open_kernels(device, arguments.threads)
    if arguments.file is not None and arguments.file.exists():
        mined = np.load(arguments.file)
    else:
        mined = mine(kernels, jobs, each)
        if arguments.file is not None:
            np.save(arguments.file, mined)
    batch = mined[:jobs, :each].reshape(-1, ANNOUNCEMENT_SIZE)
    if len(batch) != jobs * each:
        parser.error(f"{arguments.file} has not {each} announcements of {jobs} jobs")
    batch = batch[np.random.default_rng(1).permutation(len(batch))]
    parents = np.tile(np.frombuffer(PARENT_HASH, np.uint8), (len(batch), 1))

    kernels.check(batch, parents)  # compiles
    checked = 0
    began, cpu_began = time.perf_counter(), time.process_time()
    while (seconds := time.perf_counter() - began) < arguments.seconds:
        results = kernels.check(batch, parents).results
        assert (results == AnnouncementCheck.OK).all()
        checked += len(batch)
    cpu_seconds = time.process_time() - cpu_began
    kernels.close()
    result = {
        "device": device.name,
        "jobs": jobs,
        "each": each,
        "announcements_per_second": round(checked / seconds, 1),
        "checks_per_cpu_s": round(checked / cpu_seconds, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
