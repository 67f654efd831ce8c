"""What are the host's cores able to do that a runtime's compiler does not tell the kernels?"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import pyopencl as cl

#: Where Linux says it.
CPU_INFO = Path("/proc/cpuinfo")

POCL_PLATFORM: Final = "Portable Computing Language"

_AMD: Final = "AuthenticAMD"
_AVX512_WORDS: Final = 16


def cpu_defines(device: cl.Device) -> dict[str, int | str]:
    """Definitions for the kernel sources; none for GPUs.

    NATIVE_WORDS : 32-bit words of a register (lanes.cl). Intel's compiler defines no macros for
                   instruction sets, unlike PoCL's
    CPU_HAS_IFMA : see madd52.cl. Only for PoCL, which takes functions that are compiled for more
                   than the rest
    CPU_PERMUTES : see transpose in lanes.cl; for AVX-512
    """
    if not device.type & cl.device_type.CPU:
        return {}
    words = int(device.native_vector_width_int)
    defines: dict[str, int | str] = {"NATIVE_WORDS": words}
    if device.platform.name == POCL_PLATFORM and "avx512ifma" in cpu_flags(CPU_INFO):
        defines["CPU_HAS_IFMA"] = 1
    if words >= _AVX512_WORDS and cpu_vendor(CPU_INFO) == _AMD:
        defines["CPU_PERMUTES"] = 1
    return defines


def cpu_flags(cpu_info: Path) -> frozenset[str]:
    """The features that `cpu_info` names, as Linux calls them; none where there is no such file."""
    return frozenset(_first_field(cpu_info, "flags").split())


def cpu_vendor(cpu_info: Path) -> str:
    """As the processor calls it, "" where `cpu_info` does not say."""
    return _first_field(cpu_info, "vendor_id")


@lru_cache
def _first_field(cpu_info: Path, name: str) -> str:
    """Of the first core: all of a machine are alike."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
