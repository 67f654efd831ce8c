"""What is said about devices in every state."""

import pytest

from packetcrypt.engine.block_statistics import BlockDeviceStatistics
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.statistics import DeviceState, DeviceStatistics
from packetcrypt.miner.device_metrics import device_check, device_readings
from packetcrypt.operations.health import Grade

STARTING, IDLE, MINING, FAILED, CLOSED = DeviceState


def device(index: str) -> DeviceInfo:
    return DeviceInfo(DeviceKind.GPU, f"GPU {index}", "platform", "driver", index, 1, 1)


def devices(*states: DeviceState) -> list[DeviceStatistics]:
    return [
        DeviceStatistics(device(f"0:{number}"), state, "no file /home/me/kernel.cl")
        for number, state in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("states", "grade", "detail"),
    [
        ((MINING,), Grade.GOOD, "1 of 1 devices work, 0 failed"),
        ((IDLE, MINING), Grade.GOOD, "2 of 2 devices work, 0 failed"),
        ((MINING, STARTING), Grade.GOOD, "1 of 2 devices work, 0 failed"),
        ((MINING, FAILED), Grade.TROUBLE, "1 of 2 devices work, 1 failed"),
        ((STARTING,), Grade.NOT_YET, "devices are still being opened and tested"),
        ((STARTING, FAILED), Grade.NOT_YET, "devices are still being opened and tested"),
        ((FAILED, FAILED), Grade.DOWN, "no device works"),
        ((FAILED, CLOSED), Grade.DOWN, "no device works"),
        ((), Grade.DOWN, "no device works"),
    ],
)
def test_the_check(states: tuple[DeviceState, ...], grade: Grade, detail: str) -> None:
    check = device_check(devices(*states))
    assert (check.grade, check.detail) == (grade, detail)


def test_the_readings_of_both_engines() -> None:
    block_device = BlockDeviceStatistics(device("1:0"), FAILED)
    readings = device_readings("x", [*devices(MINING), block_device])
    assert readings["packetcrypt_x_device_info"] == {
        ("0:0", "GPU 0:0", "gpu"): 1,
        ("1:0", "GPU 1:0", "gpu"): 1,
    }
    states = readings["packetcrypt_x_device_state"]
    assert isinstance(states, dict)
    assert {labels for labels, value in states.items() if value} == {
        ("0:0", "mining"),
        ("1:0", "failed"),
    }
    assert len(states) == 2 * len(DeviceState)
