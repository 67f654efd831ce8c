"""The device that kernels are tested on: as vectors (CPUs) and one value a work-item (GPUs)."""

import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl.context import DeviceContext


@pytest.fixture(scope="session", params=[16, 1], ids=lambda lanes: f"lanes{lanes}")
def context(request: pytest.FixtureRequest) -> DeviceContext:
    """The first device."""
    return DeviceContext(cl.get_platforms()[0].get_devices()[0], lanes=request.param)
