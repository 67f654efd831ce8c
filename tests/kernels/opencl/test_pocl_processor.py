"""PoCL is told what to compile for where its compiler does not know the processor."""

import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from packetcrypt.kernels.opencl import pocl_processor
from packetcrypt.kernels.opencl.cpu_features import POCL_PLATFORM
from packetcrypt.kernels.opencl.pocl_processor import name_field, stand_in

AVX2 = "avx avx2 fma f16c bmi1 bmi2 abm movbe popcnt cx16 lahf_lm pni ssse3 sse4_1 sse4_2 sse2"
AVX512 = f"{AVX2} avx512f avx512bw avx512cd avx512dq avx512vl adx aes pclmulqdq"
ZEN5 = (
    f"{AVX512} avx512ifma avx512vbmi avx512_vbmi2 avx512_bitalg avx512_vnni avx512_vpopcntdq gfni "
    "vaes vpclmulqdq sha_ni avx_vnni avx512_bf16 avx512_vp2intersect"
)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (ZEN5, "icelake-server"),
        (ZEN5.replace("avx512_vbmi2", ""), "skylake-avx512"),
        (AVX512, "skylake-avx512"),
        (AVX512.replace("avx512vl", ""), "haswell"),
        (AVX2, "haswell"),
        (AVX2.replace("bmi2", ""), "nehalem"),
        ("sse2 fpu", "x86-64"),
        ("fp asimd", None),
        ("", None),
    ],
)
def test_it_can_do_no_more_than_the_processor(flags: str, expected: str | None) -> None:
    assert stand_in(frozenset(flags.split())) == expected


def description_of(*words: int | ctypes.c_char_p) -> ctypes.Array[ctypes.c_void_p]:
    """Like PoCL's: numbers, and pointers to strings, among words that are neither."""
    addresses = [
        word if isinstance(word, int) else ctypes.cast(word, ctypes.c_void_p).value or 0
        for word in words
    ]
    return (ctypes.c_void_p * 256)(0, 1, 2**64 - 1, 2**47, *addresses)


TRIPLE = ctypes.c_char_p(b"x86_64-unknown-linux-gnu")
GENERIC = ctypes.c_char_p(b"generic")
LIBRARY = ctypes.c_char_p(b"kernel-x86_64-generic")


@pytest.mark.parametrize("libraries", range(4))
def test_the_name_is_found_behind_the_triple(libraries: int) -> None:
    description = description_of(GENERIC, 7, TRIPLE, *libraries * [LIBRARY], GENERIC, 9)
    address = ctypes.addressof(description)

    expected = address + (7 + libraries) * ctypes.sizeof(ctypes.c_void_p)
    assert name_field(address, "generic") == expected


@pytest.mark.parametrize(
    "description",
    [
        description_of(TRIPLE, ctypes.c_char_p(b"znver3")),
        description_of(TRIPLE, ctypes.c_char_p(b"generic64")),
        description_of(TRIPLE, 5, 6, 7, 8, GENERIC),
        description_of(ctypes.c_char_p(b"aarch64-linux-gnu"), GENERIC),
        description_of(),
    ],
    ids=["known", "longer", "elsewhere", "another-architecture", "nothing"],
)
def test_any_other_description_is_left_alone(description: ctypes.Array[ctypes.c_void_p]) -> None:
    assert name_field(ctypes.addressof(description), "generic") is None


def test_nothing_is_found_where_memory_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pocl_processor, "MEMORY", tmp_path / "missing")
    description = description_of(TRIPLE, GENERIC)

    assert name_field(ctypes.addressof(description), "generic") is None


ON_AN_UNKNOWN_PROCESSOR = """
import ctypes, re, sys, time
import pyopencl as cl
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.pocl_processor import name_field

device = next(p for p in cl.get_platforms() if p.name == sys.argv[1]).get_devices()[0]
name = re.search("-(?:gnu|musl)-(.+)", device.version)[1]
unknown = ctypes.create_string_buffer(b"generic")
field = ctypes.c_void_p.from_address(name_field(device.int_ptr, name))
field.value = ctypes.addressof(unknown)
# Never the same twice: compiled kernels are kept on disk.
source = f"kernel void answer(global long *out) {{ out[0] = {time.time_ns()}; }}"
try:
    cl.Program(cl.Context([device]), source).build()
except cl.Error as error:
    assert "unknown target CPU 'generic'" in str(error), error
    if sys.argv[2] == "part":
        (device,) = device.create_sub_devices([cl.device_partition_property.BY_COUNTS, 1])[:1]
    DeviceContext(device).build_source(source, "test")
    # A part of which the whole alone is told computes wrongly.
    assert name_field(device.int_ptr, "generic") is None
    print("compiled, but only as for", ctypes.string_at(field.value).decode())
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="PoCL describes others otherwise")
@pytest.mark.parametrize("part", ["whole", "part"])
def test_pocl_compiles_on_a_processor_that_it_does_not_know(part: str) -> None:
    if part == "part" and os.cpu_count() == 1:
        pytest.skip("a single core has no parts")
    # In a process of its own: PoCL is made to forget the processor of this machine, for good.
    child = subprocess.run(
        [sys.executable, "-c", ON_AN_UNKNOWN_PROCESSOR, POCL_PLATFORM, part],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "compiled, but only as for" in child.stdout, child.stderr
