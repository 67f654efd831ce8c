"""How fresh CryptoCycle states are made (spec 1 §2 `init`; host side of initial_states.cl)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.tile import launch_shape
from packetcrypt.protocol.cryptocycle import STATE_SIZE

#: Work-items of a GPU that make a state: one a block of 64 bytes.
_GPU_PIECES: Final = STATE_SIZE // 64


class InitialStates:
    """Makes states on one device."""

    def __init__(self, context: DeviceContext) -> None:
        self._context = context
        self._kernel = context.kernel(context.build("initial_states.cl"), "initial_states")

    def make(self, seeds: Sequence[bytes]) -> cl.Buffer:
        """Enqueue `init(seed, 0)` of one or more seeds of 32 bytes: 2048 bytes each."""
        count = len(seeds)
        states = allocate(self._context, STATE_SIZE * count)
        traits = self._context.traits
        self._kernel(
            self._context.queue,
            *launch_shape(traits, count if traits.is_cpu else _GPU_PIECES * count),
            upload(self._context, np.frombuffer(b"".join(seeds), np.uint8)),
            states,
            np.uint32(count),
        )
        return states
