"""Launch sizes: how they follow the speed of a device."""

from dataclasses import replace

import pytest

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.kernels.interface import AnnouncementKernels


def test_the_first_launch_is_one_quantum() -> None:
    assert LaunchSize(quantum=768, largest=65536).nonces == 768


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (1_000, 512),  # slower than a quantum in the target time: still one quantum
        (100_000, 1536),
        (400_000, 6144),
        (10_000_000_000, 65536),  # as fast as the device allows
    ],
)
def test_a_launch_takes_the_target_time(rate: int, expected: int) -> None:
    size = LaunchSize(quantum=512, largest=65536, target_s=0.016)

    size.measured(rate, 1.0)

    assert size.nonces == expected


def test_launches_on_gpus_are_shorter(pocl_kernels: AnnouncementKernels, pocl: DeviceInfo) -> None:
    gpu = replace(pocl, kind=DeviceKind.GPU)
    sizes = [LaunchSize.of(device, pocl_kernels) for device in (pocl, gpu)]

    for size in sizes:
        size.measured(200 * pocl_kernels.launch_quantum, 1.0)

    on_cpu, on_gpu = (size.nonces for size in sizes)
    assert on_gpu < on_cpu


def test_a_single_launch_that_seems_to_take_no_time_changes_little() -> None:
    size = LaunchSize(quantum=1, largest=1 << 20, target_s=0.01)

    for seconds in (0.02, 0.0399, 0.0001, 0.02):  # the host was late for the second
        size.measured(2000, seconds)

    assert size.nonces == pytest.approx(1000, rel=0.05)


def test_a_time_of_preparing_does_not_shrink_launches_much() -> None:
    size = LaunchSize(quantum=1, largest=1 << 20, target_s=0.01)
    size.measured(100_000, 1.0)

    size.measured(100_000, 10.0)

    assert size.nonces == 800


def test_a_device_that_stays_slow_gets_smaller_launches() -> None:
    size = LaunchSize(quantum=1, largest=1 << 20, target_s=0.01)
    size.measured(100_000, 1.0)

    for _ in range(100):
        size.measured(20_000, 1.0)

    assert size.nonces == 200


def test_a_device_with_small_launches_gets_no_larger_ones() -> None:
    size = LaunchSize(quantum=512, largest=384)

    assert size.nonces == 384
