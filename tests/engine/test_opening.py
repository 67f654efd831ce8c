"""Opening devices: limits of cores, and devices that are gone."""

from contextlib import closing
from dataclasses import replace

import pytest

from packetcrypt.engine.device_info import DeviceInfo, numpy_device
from packetcrypt.engine.opencl_devices import limit_cores, opencl_device
from packetcrypt.engine.opening import open_kernels
from packetcrypt.protocol.errors import ConfigError, DeviceError


@pytest.mark.parametrize("cores", [1, 1000])
def test_a_processor_uses_no_more_cores_than_told_or_than_it_has(
    pocl: DeviceInfo, cores: int
) -> None:
    device = limit_cores(opencl_device(pocl), cores)

    assert device.max_compute_units == min(cores, pocl.compute_units)


def test_another_driver_is_another_device(pocl: DeviceInfo) -> None:
    with pytest.raises(DeviceError, match="no longer there"):
        opencl_device(replace(pocl, driver="0.1"))


def test_no_threads_are_refused(pocl: DeviceInfo) -> None:
    with pytest.raises(ConfigError, match="0 threads"):
        open_kernels(pocl, threads=0)


def test_numpy_takes_its_threads() -> None:
    with (
        closing(open_kernels(numpy_device(), threads=1)) as one,
        closing(open_kernels(numpy_device(), threads=2)) as two,
    ):
        assert two.launch_quantum == 2 * one.launch_quantum
