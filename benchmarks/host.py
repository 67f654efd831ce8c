#!/usr/bin/env python3
"""What does mining cost beside the device: processor time of the thread that drives it, and calls?

Mines the workload of `packetcrypt bench ann` and prints a JSON object. host_share is the processor
time of the driving thread in that of the whole process (on a CPU device, that includes the device);
waiting costs none. Launches are as long as the device's speed asks for, so that on a busy machine
they are shorter and cost more; --launch fixes their size, in nonces:

    benchmarks/host.py --device cpu --launch 5376
"""

import argparse
import json
import sys
import time
from contextlib import closing
from types import FrameType

from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.steady_run import SteadyRun, workload


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="default: %(default)s")
    parser.add_argument("--threads", type=int, help="cores of a CPU; default: all")
    parser.add_argument("--seconds", type=float, default=5.0, help="default: %(default)s")
    parser.add_argument("--launch", type=int, help="nonces of a launch; default: as in mining")
    arguments = parser.parse_args()
    (device,) = select_devices(arguments.device)
    with ready_kernels(device, lambda: open_kernels(device, arguments.threads)) as kernels:
        size = LaunchSize.of(device, kernels)
        if arguments.launch is not None:
            size = LaunchSize(arguments.launch, arguments.launch)
        with closing(SteadyRun(kernels, workload(0x2001FFFF), size)) as run:
            run.mine(1.0)
            host_began, all_began = time.thread_time(), time.process_time()
            landings = run.mine(arguments.seconds)[1:]
            host_s, all_s = time.thread_time() - host_began, time.process_time() - all_began
            calls, found = _count_calls(run, arguments.seconds / 5)
    jobs = sum(landing.nonces for landing in landings) / 65536
    result = {
        "device": device.name,
        "host_share": round(host_s / all_s, 4),
        "host_ms_per_job": round(1000 * host_s / jobs, 2),
        "jobs": round(jobs, 2),
        "launches_per_job": round(len(landings) / jobs, 1),
        "python_calls_per_announcement": round(calls / found, 1),
    }
    print(json.dumps(result))


def _count_calls(run: SteadyRun, seconds: float) -> tuple[int, int]:
    """Calls of Python and C functions while mining, and announcements found."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        landings = run.mine(seconds)
    finally:
        sys.setprofile(None)
    return calls, sum(landing.announcements for landing in landings)


if __name__ == "__main__":
    main()
