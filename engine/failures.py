"""When is an engine at its end: when the last of its devices has failed. And why it did."""

import threading
from collections.abc import Callable

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.protocol.errors import DeviceError


class Failures:
    """Counts failed devices.

    told : called with one error for all when none of `devices` is left
    """

    def __init__(self, devices: int, told: Callable[[DeviceError], None]) -> None:
        self._devices = devices
        self._told = told
        self._lock = threading.Lock()
        self._errors: list[DeviceError] = []

    def add(self, error: DeviceError) -> None:
        """One more device failed."""
        with self._lock:
            self._errors.append(error)
            if len(self._errors) < self._devices:
                return
            causes = "\n".join(f"  {cause}" for cause in self._errors)
        self._told(DeviceError(f"no device is left to mine with:\n{causes}"))


def unexpected_failure(device: DeviceInfo, error: Exception) -> DeviceError:
    """What to tell the user of an error that nobody foresaw: drivers raise what they like."""
    return DeviceError(
        f"device {device} failed: {type(error).__name__}: {error}. It is stopped; start again, and "
        "if it fails again update its driver or leave it out (--device chooses others)."
    )
