"""Real devices for the engine's tests: NumPy, and PoCL on this machine's processor."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels


@pytest.fixture(scope="session")
def pocl() -> DeviceInfo:
    """The CPU's OpenCL runtime."""
    (device,) = select_devices("cpu")
    return device


@pytest.fixture(scope="session")
def pocl_kernels(pocl: DeviceInfo) -> Iterator[AnnouncementKernels]:
    with closing(open_kernels(pocl)) as kernels:
        yield kernels


@pytest.fixture(scope="session")
def numpy_kernels() -> Iterator[AnnouncementKernels]:
    (device,) = select_devices("numpy")
    with closing(open_kernels(device)) as kernels:
        yield kernels


@pytest.fixture
def easy_work() -> AnnouncementWork:
    """Work of which every other nonce is an announcement, 1024 nonces a job."""
    return AnnouncementWork(
        parent_hash=bytes(range(32)), parent_height=1_000_000, work_bits=0x207FFFFF
    )


@pytest.fixture
def usual_work() -> AnnouncementWork:
    """Work as pools ask for: 65536 nonces a job, 512 of them announcements."""
    return AnnouncementWork(
        parent_hash=bytes(range(32)), parent_height=1_000_000, work_bits=0x2001FFFF
    )
