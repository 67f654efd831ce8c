"""What one thread computes with."""

from collections.abc import Callable

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.cryptocycle import CryptoCycle, empty_states

BATCH = 8192
"""soft nonces that a thread carries through all stages of a search together

Enough for long arrays in every slab of CryptoCycle. The other lengths were scaled with it: half of
them all is 15 % slower on one thread and 30 % on two, because every NumPy call takes the GIL twice.
"""

_HASHES = 4096


class Workspace:
    """The buffers of one thread, about 45 MB.

    checkpoint : called every few milliseconds of work; the exception that it raises ends the work
    states     : (8192, 264) uint64, of a search
    """

    def __init__(self, checkpoint: Callable[[], None] = lambda: None) -> None:
        self.checkpoint = checkpoint
        self.cycle = CryptoCycle(checkpoint)
        self.blake = Blake2b(_HASHES, checkpoint)
        self.states = empty_states(BATCH)
