"""How many of a sprayer's records were lost on the way, as the gaps in its counters tell.

An estimate. Existing sprayers send the newest batch first, so counters come in any order: only the
span of all that were seen says how many there should be. Records that come twice hide losses.
"""

import numpy as np
import numpy.typing as npt

RESTART_JUMP = 1 << 24
"""A counter this far from all seen so far is one of a sender that began anew."""


class LossEstimate:
    """The records of one share of one sprayer.

    step : how far the counters of consecutive records of the share are apart
    """

    def __init__(self, step: int = 1) -> None:
        self._step = step
        self._received = 0
        self._earlier = 0
        self._lowest: int | None = None
        self._highest = 0

    def count(self, counters: npt.NDArray[np.uint64]) -> None:
        """Takes note of received records, at least one."""
        low, high = int(counters.min()), int(counters.max())
        if high - low > RESTART_JUMP:
            return  # no sender numbers like this
        if self._lowest is None or not (
            self._lowest - RESTART_JUMP < low and high < self._highest + RESTART_JUMP
        ):
            self._earlier = self.lost
            self._received, self._lowest, self._highest = 0, low, high
        self._received += len(counters)
        self._lowest = min(low, self._lowest)
        self._highest = max(high, self._highest)

    @property
    def lost(self) -> int:
        """Records lost since the beginning."""
        if self._lowest is None:
            return self._earlier
        expected = (self._highest - self._lowest) // self._step + 1
        return self._earlier + max(0, expected - self._received)
