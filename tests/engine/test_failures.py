"""When no device is left, one error names them all."""

import pytest

from packetcrypt.engine.failures import Failures
from packetcrypt.protocol.errors import DeviceError


@pytest.mark.parametrize("devices", [1, 3])
def test_the_last_failure_is_told_with_all_causes(devices: int) -> None:
    told: list[DeviceError] = []
    failures = Failures(devices, told.append)
    for number in range(devices):
        assert told == []
        failures.add(DeviceError(f"device {number} is on fire"))
    (error,) = told
    assert str(error).splitlines() == [
        "no device is left to mine with:",
        *(f"  device {number} is on fire" for number in range(devices)),
    ]
