"""Devices, their traits, and how kernel files are built."""

from pathlib import Path

import numpy as np
import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl import context as context_module
from packetcrypt.kernels.opencl.context import DeviceContext, DeviceTraits, expand_includes
from packetcrypt.protocol.errors import DeviceError


@pytest.fixture
def device() -> cl.Device:
    return cl.get_platforms()[0].get_devices()[0]


@pytest.fixture
def kernel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "folder with spaces"
    folder.mkdir()
    monkeypatch.setattr(context_module, "KERNEL_FOLDER", folder)
    return folder


def test_a_cpu_gets_vectors_and_its_compute_units(device: cl.Device) -> None:
    traits = DeviceTraits.of(device)

    assert traits.is_cpu
    assert traits.lanes == 16
    assert traits.compute_units == device.max_compute_units
    assert device.driver_version in traits.driver


@pytest.mark.parametrize("lanes", [1, 16])
def test_lanes_can_be_chosen(device: cl.Device, lanes: int) -> None:
    assert DeviceContext(device, lanes=lanes).traits.lanes == lanes


@pytest.mark.parametrize("lanes", [0, 4, 32])
def test_lanes_that_no_source_has_are_refused(device: cl.Device, lanes: int) -> None:
    with pytest.raises(ValueError, match=f"lanes is {lanes}"):
        DeviceContext(device, lanes=lanes)


def test_a_kernel_file_is_built_with_its_includes_and_definitions(
    device: cl.Device, kernel_folder: Path
) -> None:
    (kernel_folder / "inner.cl").write_text("#define INNER 1000\n")
    (kernel_folder / "outer.cl").write_text(
        '#include "inner.cl"\n'
        "__kernel void answer(__global int *out) { *out = INNER + GIVEN + LANES; }\n"
    )
    context = DeviceContext(device, lanes=16)
    out = np.zeros(1, np.int32)
    buffer = cl.Buffer(context.context, cl.mem_flags.WRITE_ONLY, out.nbytes)

    program = context.build("outer.cl", GIVEN=200)
    cl.Kernel(program, "answer")(context.queue, (1,), (1,), buffer)
    cl.enqueue_copy(context.queue, out, buffer)

    assert out[0] == 1216


def test_a_file_is_included_once(kernel_folder: Path) -> None:
    (kernel_folder / "a.cl").write_text("int a;\n")
    (kernel_folder / "b.cl").write_text('#include "a.cl"\nint b;\n')

    expanded = expand_includes('#include "a.cl"\n#include "b.cl"\n', "main.cl")

    code = [line for line in expanded.splitlines() if line.startswith("int")]
    assert code == ["int a;", "int b;"]


def test_a_compiler_error_names_file_line_and_remedy(
    device: cl.Device, kernel_folder: Path
) -> None:
    (kernel_folder / "good.cl").write_text("#define VALUE 1\n")
    (kernel_folder / "bad.cl").write_text(
        '#include "good.cl"\n\n__kernel void k(__global int *out) { *out = VALUE + MISSING; }\n'
    )

    with pytest.raises(DeviceError) as refusal:
        DeviceContext(device).build("bad.cl")

    assert "bad.cl:3:" in str(refusal.value)
    assert "MISSING" in str(refusal.value)
    assert "--device" in str(refusal.value)


def test_runtime_errors_become_device_errors(device: cl.Device) -> None:
    context = DeviceContext(device)

    with (
        pytest.raises(DeviceError, match=r"failed while reading.*INVALID_BUFFER_SIZE"),
        context.reporting("reading"),
    ):
        cl.Buffer(context.context, cl.mem_flags.READ_WRITE, 0)
