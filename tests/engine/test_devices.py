"""Device selection: what each selector chooses."""

import logging

import pytest

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.devices import discover_devices, select_devices
from packetcrypt.engine.probe import ProbeReport
from packetcrypt.engine.probe_problems import Problem
from packetcrypt.protocol.errors import ConfigError

POCL_NAME = "Portable Computing Language"


def device(kind: DeviceKind, name: str, platform: str, index: str) -> DeviceInfo:
    return DeviceInfo(kind, name, platform, "1.0", index, 8, 1 << 30)


INTEL = device(DeviceKind.CPU, "AMD EPYC", "Intel(R) OpenCL", "0:0")
POCL = device(DeviceKind.CPU, "cpu-znver3-AMD EPYC", POCL_NAME, "1:0")
H200 = device(DeviceKind.GPU, "NVIDIA H200", "NVIDIA CUDA", "2:0")
RTX = device(DeviceKind.GPU, "NVIDIA RTX 5090", "NVIDIA CUDA", "2:1")
NUMPY = device(DeviceKind.NUMPY, "NumPy", "NumPy", "numpy")
ALL = [INTEL, POCL, H200, RTX, NUMPY]


@pytest.mark.parametrize(
    ("selectors", "chosen"),
    [
        ("auto", [H200, RTX]),
        ("gpu", [H200, RTX]),
        ("GPU", [H200, RTX]),
        ("cpu", [POCL]),
        ("numpy", [NUMPY]),
        ("0:0", [INTEL]),
        ("2:1", [RTX]),
        ("nvidia", [H200, RTX]),
        ("rtx 5090", [RTX]),
        ("epyc", [INTEL, POCL]),
        ("intel", [INTEL]),
        (["numpy", "gpu"], [NUMPY, H200, RTX]),
        (["2:1", "gpu", "2:1"], [RTX, H200]),
        ([" cpu "], [POCL]),
    ],
)
def test_a_selector_chooses(selectors: str | list[str], chosen: list[DeviceInfo]) -> None:
    assert list(select_devices(selectors, ALL)) == chosen


def test_auto_takes_the_processor_where_there_is_no_gpu() -> None:
    assert select_devices("auto", [INTEL, POCL, NUMPY]) == (POCL,)


def test_auto_falls_back_to_numpy_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert select_devices("auto", [NUMPY]) == (NUMPY,)

    assert "No OpenCL device can be used" in caplog.text
    assert "packetcrypt devices --diagnose" in caplog.text


@pytest.mark.parametrize("selectors", ["radeon", "3:0", "", ["gpu", "radeon"]])
def test_a_selector_that_chooses_nothing_is_refused_with_what_exists(
    selectors: str | list[str],
) -> None:
    with pytest.raises(ConfigError, match="chooses no device") as refused:
        select_devices(selectors, ALL)

    for existing in ALL:
        assert existing.index in str(refused.value)
        assert existing.name in str(refused.value)


def test_no_selector_is_refused() -> None:
    with pytest.raises(ConfigError, match="give at least one selector"):
        select_devices([], ALL)


def test_an_unusable_device_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    problem = Problem("its results are wrong", "Update its driver.")
    report = ProbeReport((), ((RTX, problem),), (), None)
    monkeypatch.setattr("packetcrypt.engine.devices.probe_opencl", lambda: report)

    discover_devices()
    discover_devices()

    (warning,) = caplog.records
    assert "NVIDIA RTX 5090" in warning.getMessage()
    assert "Update its driver." in warning.getMessage()


def test_this_machine_has_pocl_and_numpy() -> None:
    devices = discover_devices()

    assert POCL_NAME in [device.platform for device in devices]
    assert devices[-1].kind is DeviceKind.NUMPY


def test_numpy_alone_is_chosen_without_looking_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packetcrypt.engine.devices.probe_opencl", None)

    (chosen,) = select_devices("numpy")

    assert chosen.kind is DeviceKind.NUMPY
