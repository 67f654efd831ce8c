"""What one thread computes with."""

from collections.abc import Callable

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.cryptocycle import CryptoCycle, empty_states

BATCH = 4096
"""soft nonces that a thread carries through all stages of a search together

Enough for long arrays in every slab of CryptoCycle, few enough for the states (9 MB) to stay in a
share of the L3 cache. 2048 is 5 % slower, 8192 at most 5 % faster.
"""

_HASHES = 2048


class Workspace:
    """The buffers of one thread, about 25 MB.

    checkpoint : called every few milliseconds of work; the exception that it raises ends the work
    states     : (4096, 264) uint64, of a search
    """

    def __init__(self, checkpoint: Callable[[], None] = lambda: None) -> None:
        self.checkpoint = checkpoint
        self.cycle = CryptoCycle(checkpoint)
        self.blake = Blake2b(_HASHES, checkpoint)
        self.states = empty_states(BATCH)
