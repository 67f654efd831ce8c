"""What is found out about the host's cores, from files like Linux' /proc/cpuinfo."""

from pathlib import Path

import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl import cpu_features
from packetcrypt.kernels.opencl.cpu_features import cpu_defines, cpu_flags, cpu_vendor


@pytest.fixture
def device() -> cl.Device:
    platforms = cl.get_platforms()
    pocl = next(p for p in platforms if p.name == "Portable Computing Language")
    return pocl.get_devices()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512ifma\n", {"fpu", "avx512f", "avx512ifma"}),
        ("processor\t: 0\nflags\t\t: fpu avx2\n" * 64, {"fpu", "avx2"}),
        ("model name\t: made for avx512ifma\nflags\t\t: fpu\n", {"fpu"}),
        ("Features\t: fp asimd\n", set()),
        ("", set()),
    ],
)
def test_flags_are_read(tmp_path: Path, text: str, expected: set[str]) -> None:
    (tmp_path / "cpuinfo").write_text(text)

    assert cpu_flags(tmp_path / "cpuinfo") == expected


def test_the_vendor_is_read(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t: 106\n")

    assert cpu_vendor(tmp_path / "cpuinfo") == "GenuineIntel"


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "missing") == set()
    assert cpu_vendor(tmp_path / "missing") == ""


@pytest.mark.parametrize(
    ("flags", "told"), [("avx512ifma", True), ("avx2", False), ("avx512ifmaplus", False)]
)
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


@pytest.mark.parametrize(("vendor", "told"), [("AuthenticAMD", True), ("GenuineIntel", False)])
def test_kernels_learn_whose_permutations_are_fast(
    device: cl.Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: str, told: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"vendor_id\t: {vendor}\n")
    monkeypatch.setattr(cpu_features, "CPU_INFO", tmp_path / "cpuinfo")

    assert ("CPU_PERMUTES" in cpu_defines(device)) is (
        told and device.native_vector_width_int == 16
    )


def test_kernels_learn_how_long_registers_are(device: cl.Device) -> None:
    assert cpu_defines(device)["NATIVE_WORDS"] == device.native_vector_width_int
