"""How many soft nonces one launch takes, so that a device is busy but can be interrupted."""

from typing import Final

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.kernels.interface import AnnouncementKernels

#: The launches in flight, usually two, cannot be recalled; together with a step of preparing they
#: must end within the 50 ms (on a GPU 20 ms) in which new work has to stop the search. The speed
#: that is measured has those steps in it. With 45 ms a search stopped within 29 to 44 ms, with 40
#: within 31, and Python took 2.4 to 2.6 % of the time instead of 2.7 to 3.1 (two cores, AVX2).
IN_FLIGHT_S: Final = 0.045
GPU_IN_FLIGHT_S: Final = 0.012

#: Of two launches.
TARGET_S: Final = IN_FLIGHT_S / 2

#: Speed is measured over this much time, because the times of single launches say little: when the
#: host was busy meanwhile, one seems to last long and the next no time at all.
WINDOW_S: Final = 0.06

#: How fast a measured rate fades when the device seems slower later: it may only have been
#: preparing jobs between the launches.
_FADING: Final = 0.8


class LaunchSize:
    """Adapts the size of launches to the measured speed of one device.

    quantum : launches are multiples of this many nonces (unless it exceeds `largest`)
    largest : the most nonces a launch may take
    """

    def __init__(self, quantum: int, largest: int, target_s: float = TARGET_S) -> None:
        self._quantum = min(quantum, largest)
        self._largest = largest
        self._target_s = target_s
        self._rate = 0.0
        self._window_nonces = 0
        self._window_s = 0.0

    @classmethod
    def of(cls, device: DeviceInfo, kernels: AnnouncementKernels) -> "LaunchSize":
        """For `device`, whose kernels these are."""
        return cls(
            kernels.launch_quantum, kernels.max_launch, launch_seconds(device, kernels.launches)
        )

    @property
    def nonces(self) -> int:
        """Size of the next launch; the first is the smallest, for a device may be slow."""
        quanta = int(self._rate * self._target_s) // self._quantum
        return min(max(1, quanta), self._largest // self._quantum) * self._quantum

    def measured(self, nonces: int, seconds: float) -> None:
        """Take a finished launch into account, and the time since the one before it ended."""
        self._window_nonces += nonces
        self._window_s += seconds
        if self._window_s >= WINDOW_S:
            self._rate = max(self._window_nonces / self._window_s, self._rate * _FADING)
            self._window_nonces = 0
            self._window_s = 0.0


def launch_seconds(device: DeviceInfo, in_flight: int) -> float:
    """How long a launch of `device` should take, if so many are in flight at a time."""
    seconds = GPU_IN_FLIGHT_S if device.kind is DeviceKind.GPU else IN_FLIGHT_S
    return seconds / in_flight
