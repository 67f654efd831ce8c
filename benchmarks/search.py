#!/usr/bin/env python3
"""How fast is the OpenCL nonce search alone, without tables, finishing and engine?

Searches made-up tables on one device and prints a JSON object. On a CPU with PoCL, one core is

    POCL_MAX_PTHREAD_COUNT=1 taskset -c 1 benchmarks/search.py

hashes_per_cpu_s divides by the processor time of the process, which other programs on the machine
disturb less than the wall clock.
"""

import argparse
import json
import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.backend import default_tuning, nonce_search
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.search import FIND_SIZE
from packetcrypt.protocol.announcement import TABLE_SIZE
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.primitives import expand

#: One hash in 16 million is a find: finds cost nothing.
TARGET = 1 << 232


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--platform", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--device", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3, help="default: %(default)s")
    parser.add_argument("--batch", type=int, help="nonces of a CPU batch instead of the usual")
    arguments = parser.parse_args()
    device = cl.get_platforms()[arguments.platform].get_devices()[arguments.device]
    context = DeviceContext(device)
    sizes = default_tuning(context.traits)
    if arguments.batch is not None:
        sizes = replace(sizes, batch=arguments.batch)
    search = nonce_search(context, sizes)

    def upload(data: npt.NDArray[np.uint8]) -> cl.Buffer:
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        return cl.Buffer(context.context, flags, hostbuf=data)

    table = upload(
        np.random.default_rng(1).integers(0, 256, (TABLE_SIZE, ITEM_SIZE), dtype=np.uint8)
    )
    keystream = upload(np.frombuffer(expand(bytes(range(32)), 0, 2048), np.uint8))
    progress = cl.Buffer(context.context, cl.mem_flags.READ_WRITE, 8)
    finds = cl.Buffer(context.context, cl.mem_flags.READ_WRITE, FIND_SIZE * sizes.max_launch)

    def launch() -> None:
        nonces = range(sizes.max_launch)
        search.enqueue(keystream, table, nonces, TARGET, progress, finds, sizes.max_launch).wait()

    launch()  # compiles
    launches = 0
    began, cpu_began = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < arguments.seconds:
        launch()
        launches += 1
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    hashes = launches * sizes.max_launch
    result = {
        "device": context.traits.name,
        "batch": sizes.batch,
        "launch_ms": round(1000 * seconds / launches, 2),
        "hashes_per_s": round(hashes / seconds),
        "hashes_per_cpu_s": round(hashes / cpu_seconds),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
