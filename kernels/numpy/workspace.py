"""What one thread computes with."""

from collections.abc import Callable, Iterable

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.cryptocycle import CryptoCycle, empty_states
from packetcrypt.kernels.tuning import Tuning

BATCH = Tuning.for_numpy(1).batch
"""nonces that an untuned core carries through all stages of a search together

Enough for long arrays in every slab of CryptoCycle, whose lengths were scaled with it.
"""

_HASHES = 4096


class Workspace:
    """The buffers of one thread, about 45 MB.

    checkpoint : called every few milliseconds of work; the exception that it raises ends the work
    states     : (batch, 264) uint64, of a search
    finishing_seconds : how long announcements were made from what was found
    """

    def __init__(self, checkpoint: Callable[[], None] = lambda: None, batch: int = BATCH) -> None:
        self.checkpoint = checkpoint
        self.cycle = CryptoCycle(checkpoint)
        self.blake = Blake2b(_HASHES, checkpoint)
        self.states = empty_states(batch)
        self.finishing_seconds = 0.0

    def run(self, tasks: Iterable["Task"]) -> None:
        """Run tasks one after the other: the `Runner` of whoever has one thread."""
        for task in tasks:
            task(self)


Task = Callable[[Workspace], None]
#: Runs tasks, each with a workspace of its own, and returns when all are done.
Runner = Callable[[Iterable[Task]], None]
