"""What are the host's cores able to do that a runtime's compiler does not tell the kernels?"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import pyopencl as cl

#: Where Linux says it.
CPU_INFO = Path("/proc/cpuinfo")

POCL_PLATFORM: Final = "Portable Computing Language"


def cpu_defines(device: cl.Device) -> dict[str, int | str]:
    """Definitions for the kernel sources; none for GPUs.

    NATIVE_WORDS : 32-bit words of a register (lanes.cl). Intel's compiler defines no macros for
                   instruction sets, unlike PoCL's
    CPU_HAS_IFMA : see madd52.cl. Only for PoCL, which takes functions that are compiled for more
                   than the rest
    """
    if not device.type & cl.device_type.CPU:
        return {}
    defines: dict[str, int | str] = {"NATIVE_WORDS": int(device.native_vector_width_int)}
    if device.platform.name == POCL_PLATFORM and "avx512ifma" in cpu_flags(CPU_INFO):
        defines["CPU_HAS_IFMA"] = 1
    return defines


@lru_cache
def cpu_flags(cpu_info: Path) -> frozenset[str]:
    """The features that `cpu_info` names, as Linux calls them; none where there is no such file."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    # All cores of a machine have the same: their first line tells.
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())
