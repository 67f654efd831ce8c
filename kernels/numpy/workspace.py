"""What one thread computes with."""

from collections.abc import Callable

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.cryptocycle import CryptoCycle, empty_states

#: Soft nonces that a thread carries through all stages of a search together: enough for long arrays
#: in every slab of CryptoCycle, few enough for the states (9 MB) to stay in a share of the L3
#: cache.
BATCH = 4096

_HASHES = 1024


class Workspace:
    """The buffers of one thread, about 16 MB.

    checkpoint : called every few milliseconds of work; the exception that it raises ends the work
    states     : (4096, 264) uint64, of a search
    """

    def __init__(self, checkpoint: Callable[[], None] = lambda: None) -> None:
        self.checkpoint = checkpoint
        self.cycle = CryptoCycle(checkpoint)
        self.blake = Blake2b(_HASHES, checkpoint)
        self.states = empty_states(BATCH)
