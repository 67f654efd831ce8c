"""When does it pay to build the tree of a better set, while another one is being mined?

Building takes time in which the device does not search; not building loses what the better set
would gain. With the same set another second of mining loses gain − 1 seconds of it, gain being the
quotient of their powers. A new set is built when so many seconds are lost since it became
better as it takes to build: if announcements come steadily this is the best one can do (with a gain
that grows by g a second and c seconds of building, to build every √(2c/g) seconds, which is when
g·t²/2 = c), and whatever comes it loses at most twice as much as someone who knows the future.

A new height is different, for what it changes stays until the next block, a minute on average: then
a set is built at once if that minute pays for it.
"""

import time
from collections.abc import Callable
from typing import Final

#: PKT's blocks come at random, one a minute: whenever one looks, the next is a minute away.
BLOCK_S: Final = 60.0


class BuildRule:
    """Adds up what not building loses. Ask `pays` regularly."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._height = -1
        self._lost = 0.0
        self._asked = clock()
        self._gain = 0.0

    @property
    def waiting(self) -> bool:
        """Whether there is a better set, which time alone will make worth building."""
        return self._gain > 0

    def pays(self, height: int, best: int, current: int, build_s: float) -> bool:
        """Whether to build now.

        best, current : power at this height of the best set and of the one that is mined; 0 if that
                        one cannot be used
        build_s       : what building will take
        """
        now = self._clock()
        self._lost += self._gain * (now - self._asked)
        self._asked = now
        new_height = height != self._height
        self._height = height
        if current == 0:
            return best > 0
        self._gain = max(0.0, best / current - 1)
        if self._gain == 0:
            self._lost = 0.0
            return False
        return self._lost >= build_s or (new_height and self._gain * BLOCK_S >= build_s)

    def built(self) -> None:
        """The best set is mined now."""
        self._lost = self._gain = 0.0
        self._asked = self._clock()
