"""Which instructions do the host's cores have that a runtime's compiler does not know of?"""

from functools import lru_cache
from pathlib import Path

import pyopencl as cl

#: Where Linux says it.
CPU_INFO = Path("/proc/cpuinfo")

_POCL = "Portable Computing Language"


def cpu_defines(device: cl.Device) -> dict[str, int | str]:
    """Definitions for the kernel sources (madd52.cl); none for GPUs.

    Only for PoCL, which takes functions that are compiled for more than the rest.
    """
    on_pocl_cpu = device.type & cl.device_type.CPU and device.platform.name == _POCL
    return {"CPU_HAS_IFMA": 1} if on_pocl_cpu and has_avx512_ifma(CPU_INFO) else {}


@lru_cache
def has_avx512_ifma(cpu_info: Path) -> bool:
    """Whether `cpu_info` names AVX512-IFMA; no, where there is no such file."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any("avx512ifma" in line.split() for line in lines if line.startswith("flags"))
