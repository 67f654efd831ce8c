"""How many soft nonces one launch takes, so that a device is busy but can be interrupted."""

from typing import Final

#: Two launches are in flight and cannot be recalled; together with a step of preparing they must
#: end within the 50 ms in which new work has to stop the search.
TARGET_S: Final = 0.015

#: How fast a measured rate fades when later launches are slower: they may only have had to wait for
#: other work on the device.
_FADING: Final = 0.9


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

    @property
    def nonces(self) -> int:
        """Size of the next launch; the first is the smallest, for a device may be slow."""
        quanta = int(self._rate * self._target_s) // self._quantum
        return min(max(1, quanta), self._largest // self._quantum) * self._quantum

    def measured(self, nonces: int, seconds: float) -> None:
        """Take a finished launch into account that kept the device busy for `seconds`."""
        if seconds > 0:
            self._rate = max(nonces / seconds, self._rate * _FADING)
