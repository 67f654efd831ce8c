#!/usr/bin/env python3
"""How fast are the OpenCL block kernels alone, without engine, pool and re-checks?

Searches a store of made-up announcements on one device and prints a JSON object; with --products,
times the X25519 products alone. On a CPU with PoCL, one core is

    POCL_MAX_PTHREAD_COUNT=1 taskset -c 1 benchmarks/blocks.py --memory 2048

…_per_cpu_second divides by the processor time of the process, which other programs on the machine
disturb less than the wall clock.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.announcement_store import allocate_store
from packetcrypt.kernels.opencl.block_backend import OpenCLBlockKernels
from packetcrypt.kernels.opencl.block_search import default_block_tuning
from packetcrypt.kernels.opencl.buffers import upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.x25519_table import build_x25519_table

#: One hash in 16 million is a find: finds cost nothing.
TARGET = 0x1E010000

#: Rows of random bytes that are repeated through the store.
DISTINCT_ROWS = 4096

#: The search has no kernel for the products alone; its tests have.
PRODUCTS_SOURCE = Path(__file__).parent.parent / "tests/kernels/opencl/x25519_test.cl"
STATE_STRIDE = 96


def filled_store(mebibytes: int) -> npt.NDArray[np.uint8]:
    store = allocate_store(mebibytes * 1024)
    rows = np.random.default_rng(1).integers(0, 256, (DISTINCT_ROWS, 1024), dtype=np.uint8)
    for first in range(0, len(store), DISTINCT_ROWS):
        store[first : first + DISTINCT_ROWS] = rows[: len(store) - first]
    return store


def timed(launch: Callable[[], int], seconds: float) -> dict[str, float]:
    """Call `launch` for so many seconds; it returns how many results it made."""
    launch()  # compiles
    results = launches = 0
    began, cpu_began = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        results += launch()
        launches += 1
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    return {
        "launch_ms": round(1000 * wall / launches, 2),
        "per_second": round(results / wall),
        "per_cpu_s": round(results / cpu),
    }


def search(device: cl.Device, arguments: argparse.Namespace) -> dict[str, object]:
    tuning = default_block_tuning(DeviceContext(device).traits)
    if arguments.batch is not None:
        tuning = replace(tuning, batch=arguments.batch)
    store = filled_store(arguments.memory)
    began = time.perf_counter()
    kernels = OpenCLBlockKernels(device, store, tuning)
    opened = time.perf_counter() - began
    kernels.rows_written(0, len(store))
    order = np.random.default_rng(2).permutation(len(store)).astype(np.uint32)
    loaded = kernels.load_set(order, 0)
    header_hash = bytes(range(32))

    def launch() -> int:
        kernels.search(loaded, header_hash, TARGET, 0, kernels.max_launch).result()
        return kernels.max_launch

    speed = timed(launch, arguments.seconds)
    kernels.close()
    return {
        "memory_mib": arguments.memory,
        "batch": tuning.batch,
        "open_s": round(opened, 2),
        "launch_ms": speed["launch_ms"],
        "hashes_per_second": speed["per_second"],
        "hashes_per_cpu_second": speed["per_cpu_s"],
    }


def products(device: cl.Device, arguments: argparse.Namespace) -> dict[str, object]:
    context = DeviceContext(device)
    tuning = default_block_tuning(context.traits)
    if arguments.batch is not None:
        tuning = replace(tuning, batch=arguments.batch)
    program = context.build_source(PRODUCTS_SOURCE.read_text(), "products", BATCH=tuning.batch)
    kernel = cl.Kernel(program, "x25519_products")
    count = tuning.max_launch
    states = upload(
        context,
        np.random.default_rng(1).integers(0, 256, (count, STATE_STRIDE), dtype=np.uint8),
    )
    table = upload(context, build_x25519_table())

    def launch() -> int:
        shape = (tuning.work_items * tuning.rounds,), (tuning.group_size,)
        kernel(context.queue, *shape, states, np.uint32(count), table).wait()
        return count

    speed = timed(launch, arguments.seconds)
    return {
        "batch": tuning.batch,
        "launch_ms": speed["launch_ms"],
        "products_per_second": speed["per_second"],
        "products_per_cpu_second": speed["per_cpu_s"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--platform", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--device", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3, help="default: %(default)s")
    parser.add_argument("--memory", type=int, default=2048, metavar="MIB", help="of announcements")
    parser.add_argument("--batch", type=int, help="states of a work-item instead of the usual")
    parser.add_argument("--products", action="store_true", help="X25519 products alone")
    arguments = parser.parse_args()
    device = cl.get_platforms()[arguments.platform].get_devices()[arguments.device]
    measure = products if arguments.products else search
    print(json.dumps({"device": device.name.strip(), **measure(device, arguments)}))


if __name__ == "__main__":
    main()
