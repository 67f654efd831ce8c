"""Does each OpenCL device compile and run a kernel? Asked in a process that may die of it.

`python -m packetcrypt.engine.probe_child [P:D to leave out]…` prints one JSON object a line, each
before the next step can crash (`probe` reads them):

    {"device": {…}}         a device, the fields of `DeviceInfo`
    {"empty": NAME}         a platform without devices
    {"loader": PATH}        the OpenCL loader in use
    {"testing": "P:D"}      the next lines are about this device
    {"told": "P:D", "processor": NAME}   its compiler had to be told what to compile for
    {"passed": "P:D"} or {"failed": "P:D", "error": TEXT}
    {"unusable": TEXT}      OpenCL as a whole cannot be used
"""

import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from packetcrypt.engine.opencl_devices import list_opencl
from packetcrypt.protocol.errors import DeviceError

if TYPE_CHECKING:
    import pyopencl as cl

_ITEMS = 64
_KERNEL = """
__kernel void probe(__global uint *out) {{
    uint i = get_global_id(0);
    out[i] = i * 2654435761u + {salt}u;
}}
"""


def main(left_out: list[str]) -> None:
    """Test every device but those named."""
    try:
        listing = list_opencl()
    except DeviceError as error:
        _say(unusable=str(error))
        return
    for name in listing.empty_platforms:
        _say(empty=name)
    for info, _ in listing.devices:
        _say(device=asdict(info))
    if loader := _loaded_opencl_library():
        _say(loader=loader)
    for info, device in listing.devices:
        if info.index in left_out:
            continue
        _say(testing=info.index)
        if (processor := _told_processor(device)) is not None:
            _say(told=info.index, processor=processor)
        problem = _run_kernel(device)
        if problem is None:
            _say(passed=info.index)
        else:
            _say(failed=info.index, error=problem)


def _say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def _told_processor(device: "cl.Device") -> str | None:
    """What the compiler was told to compile for, if it had to be told."""
    from packetcrypt.kernels.opencl.pocl_processor import name_processor

    return name_processor(device)


def _run_kernel(device: "cl.Device") -> str | None:
    """What is wrong with the device, or None.

    The kernel is a new one every time: runtimes keep compiled kernels on disk, and a kept one would
    hide that PoCL can no longer link (it links at the first enqueue, and aborts the process without
    `ld`).
    """
    import pyopencl as cl

    salt = time.time_ns() % 2**32
    try:
        context = cl.Context([device])
        queue = cl.CommandQueue(context)
        program = cl.Program(context, _KERNEL.format(salt=salt)).build()
        out = cl.Buffer(context, cl.mem_flags.WRITE_ONLY, 4 * _ITEMS)
        cl.Kernel(program, "probe")(queue, (_ITEMS,), None, out)
        result = np.empty(_ITEMS, np.uint32)
        cl.enqueue_copy(queue, result, out)
    except cl.Error as error:
        return str(error)
    expected = np.arange(_ITEMS, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(salt)
    return None if np.array_equal(result, expected) else "its results are wrong"


def _loaded_opencl_library() -> str | None:
    """The file of the OpenCL loader in this process, where the system tells (Linux)."""
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return None
    match = re.search(r"(/\S*libOpenCL[^\s/]*)$", maps, re.MULTILINE)
    return match[1] if match else None


if __name__ == "__main__":
    main(sys.argv[1:])
