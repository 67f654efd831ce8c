"""What is found out about the host's cores, from files like Linux' /proc/cpuinfo."""

from pathlib import Path

import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl import cpu_features
from packetcrypt.kernels.opencl.cpu_features import cpu_defines, has_avx512_ifma


@pytest.fixture
def device() -> cl.Device:
    platforms = cl.get_platforms()
    pocl = next(p for p in platforms if p.name == "Portable Computing Language")
    return pocl.get_devices()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512ifma avx512vl\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512ifma\n" * 64, True),
        ("processor\t: 0\nflags\t\t: fpu avx2\n", False),
        ("model name\t: made for avx512ifma\nflags\t\t: fpu avx512f\n", False),
        ("flags\t\t: avx512ifmaplus\n", False),
        ("Features\t: fp asimd\n", False),
        ("", False),
    ],
)
def test_ifma_is_read_from_the_flags(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "cpuinfo").write_text(text)

    assert has_avx512_ifma(tmp_path / "cpuinfo") is expected


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert not has_avx512_ifma(tmp_path / "missing")


@pytest.mark.parametrize(("flags", "told"), [("avx512ifma", True), ("avx2", False)])
def test_pocl_is_told(
    device: cl.Device,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: str,
    told: bool,
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: fpu {flags}\n")
    monkeypatch.setattr(cpu_features, "CPU_INFO", tmp_path / "cpuinfo")

    assert ("CPU_HAS_IFMA" in cpu_defines(device)) is told


def test_kernels_learn_how_long_registers_are(device: cl.Device) -> None:
    assert cpu_defines(device)["NATIVE_WORDS"] == device.native_vector_width_int
