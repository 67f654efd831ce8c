"""For which processor does PoCL compile where its compiler does not know the one at hand?

PoCL asks LLVM for the processor's name. An LLVM older than the processor says "generic", which
PoCL's own compiler then refuses: "unknown target CPU 'generic'" (PoCL's issue 1049). So nothing
compiles on a Zen 5 with the LLVM 14 in PoCL's wheel, and PoCL has no setting for it. Here it is
told the name of a processor that LLVM knows, and whose instructions the one at hand has, too.
"""

import ctypes
import os
from pathlib import Path
from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.cpu_features import CPU_INFO, POCL_PLATFORM, cpu_flags

#: Where Linux lets a process read its own memory.
MEMORY = Path("/proc/self/mem")

_TRIPLE: Final = b"x86_64-"

#: How much of PoCL's description of a device is looked through; the name is at 640 (PoCL 3.0).
_DESCRIPTION_BYTES: Final = 2048

#: Names of kernel libraries: none in PoCL 3.0, one in Debian's 3.1, three from 5.0 on.
_BETWEEN: Final = 3

_AVX2: Final = "avx avx2 fma f16c bmi1 bmi2 abm movbe popcnt"
_AVX512: Final = f"{_AVX2} avx512f avx512bw avx512cd avx512dq avx512vl adx aes pclmulqdq"
_ICELAKE: Final = (
    f"{_AVX512} avx512ifma avx512vbmi avx512_vbmi2 avx512_bitalg avx512_vnni avx512_vpopcntdq "
    "gfni vaes vpclmulqdq sha_ni"
)

#: LLVM's names of processors, the best first, and what its compiler then takes for granted, as
#: Linux names it. All are older than any LLVM that PoCL still builds with.
_PROCESSORS: Final = {
    "icelake-server": _ICELAKE,
    "skylake-avx512": _AVX512,
    "haswell": _AVX2,
    "nehalem": "cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2",
    "x86-64": "sse2",
}


def name_processor(device: cl.Device) -> str | None:
    """Tell PoCL what to compile for, if it does not know; returns what it was told.

    Must come before anything is compiled for `device`. Does nothing for other devices, for
    processors that PoCL knows (or was told already), and where the name is not to be found: PoCL
    keeps it in another way, or a process may not read its memory by file.
    """
    if device.platform.name != POCL_PLATFORM or not device.type & cl.device_type.CPU:
        return None
    name = stand_in(cpu_flags(CPU_INFO))
    if name is None:
        return None
    told = None
    # A part of a device has a copy of the description, and PoCL looks at both: told of one alone,
    # it passes vectors to functions in one way, expects them in another, and computes wrongly.
    described: cl.Device | None = device
    while described is not None:
        pointer = name_field(described.int_ptr, "generic")
        if pointer is not None:
            ctypes.c_void_p.from_address(pointer).value = _duplicate(name)
            told = name
        described = described.parent_device
    return told


def stand_in(flags: frozenset[str]) -> str | None:
    """LLVM's name of the best processor that can do no more than one with `flags`."""
    for name, needed in _PROCESSORS.items():
        if flags.issuperset(needed.split()):
            return name
    return None


def name_field(description: int, name: str) -> int | None:
    """The address of the pointer to `name` in PoCL's description of a device.

    It follows the pointer to the target's triple, with up to `_BETWEEN` others in between; where,
    differs between versions of PoCL. Memory is read through its file, where what is no pointer is
    an error and not the end of the process; None if that cannot be opened, too.
    """
    try:
        memory = MEMORY.open("rb", buffering=0)
    except OSError:
        return None
    wanted = name.encode() + b"\0"
    with memory:

        def read(address: int, size: int) -> bytes:
            try:
                return os.pread(memory.fileno(), size, address)
            except (OSError, OverflowError):
                return b""

        words = np.frombuffer(read(description, _DESCRIPTION_BYTES), np.uintp).tolist()
        for triple, word in enumerate(words):
            if read(word, len(_TRIPLE)) == _TRIPLE:
                for index in range(triple + 1, min(triple + 2 + _BETWEEN, len(words))):
                    if read(words[index], len(wanted)) == wanted:
                        return description + index * ctypes.sizeof(ctypes.c_void_p)
    return None


def _duplicate(name: str) -> int:
    """The address of a C string that PoCL may free."""
    duplicate = ctypes.CDLL(None).strdup
    duplicate.restype = ctypes.c_void_p
    address: int | None = duplicate(name.encode())
    if address is None:
        raise MemoryError
    return address
