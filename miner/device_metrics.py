"""What both miners show of their devices."""

from collections.abc import Sequence
from typing import Final, Protocol

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.operations.health import Check, Grade
from packetcrypt.operations.metrics import Metric, Readings, gauge

_WORKING: Final = (DeviceState.IDLE, DeviceState.MINING)


class DeviceReading(Protocol):
    """What the statistics of every engine's devices have."""

    @property
    def device(self) -> DeviceInfo: ...
    @property
    def state(self) -> DeviceState: ...


def device_metrics(service: str) -> tuple[Metric, ...]:
    """Of every device, labelled by its index as `packetcrypt devices` prints it."""
    return (
        gauge(
            f"packetcrypt_{service}_device_info",
            "1 for every device, with its name and its kind (numpy, cpu or gpu).",
            "device",
            "name",
            "kind",
        ),
        gauge(
            f"packetcrypt_{service}_device_state",
            "1 for the state that a device is in, 0 for the others: starting, idle (ready, without "
            "work), mining, failed (for good; the log says why) or closed.",
            "device",
            "state",
        ),
    )


def device_readings(service: str, devices: Sequence[DeviceReading]) -> Readings:
    """What these are now."""
    return {
        f"packetcrypt_{service}_device_info": {
            (each.device.index, each.device.name, each.device.kind.value): 1 for each in devices
        },
        f"packetcrypt_{service}_device_state": {
            (each.device.index, state.value): float(each.state is state)
            for each in devices
            for state in DeviceState
        },
    }


def device_check(devices: Sequence[DeviceReading]) -> Check:
    """Whether any device can mine; why one failed, which may name folders, the log says."""
    states = [each.state for each in devices]
    working = sum(state in _WORKING for state in states)
    failed = states.count(DeviceState.FAILED)
    if working:
        return Check.of(not failed, f"{working} of {len(states)} devices work, {failed} failed")
    if DeviceState.STARTING in states:
        return Check(Grade.NOT_YET, "devices are still being opened and tested")
    return Check(Grade.DOWN, "no device works")
