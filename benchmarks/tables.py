#!/usr/bin/env python3
"""How long does a device take to prepare a job: two tables and a Merkle tree?

Prepares jobs one after another, with nothing else going on, and prints a JSON object. Random
programs differ much in length, so that only the mean over several jobs says anything. On a CPU with
PoCL or NumPy, one core is

    POCL_MAX_PTHREAD_COUNT=1 taskset -c 1 benchmarks/tables.py --device cpu --threads 1

cpu_s_per_job is processor time, which other programs on the machine disturb less than the wall
clock.
"""

import argparse
import json
import time

from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.opening import open_kernels
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob


def prepare(kernels: AnnouncementKernels, hard_nonce: int) -> None:
    """Prepare the job of one hard nonce in slot 0."""
    header = AnnouncementHeader(hard_nonce=hard_nonce, work_bits=0x2001FFFF, parent_height=1)
    for _ in kernels.prepare(AnnouncementJob(header, bytes(range(32))), slot=0):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="default: %(default)s")
    parser.add_argument("--threads", type=int, help="cores of a CPU; default: all")
    parser.add_argument("--jobs", type=int, default=8, help="default: %(default)s")
    arguments = parser.parse_args()
    (device,) = select_devices(arguments.device)
    kernels = open_kernels(device, arguments.threads)
    prepare(kernels, 0)  # compiles
    began, cpu_began = time.perf_counter(), time.process_time()
    for hard_nonce in range(1, arguments.jobs + 1):
        prepare(kernels, hard_nonce)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    kernels.close()
    result = {
        "device": device.name,
        "jobs": arguments.jobs,
        "s_per_job": round(seconds / arguments.jobs, 4),
        "cpu_s_per_job": round(cpu_seconds / arguments.jobs, 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
