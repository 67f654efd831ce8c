"""Which soft nonces of a job are finds, on GPUs: the host side of announcement_stages.cl."""

from typing import Final

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, size_in_source
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.device_use import CountedKernel
from packetcrypt.kernels.opencl.search import NonceSearch, target_words
from packetcrypt.kernels.tuning import Tuning

_UPDATES: Final = 4

#: BINS of the kernels; stage_bins is one work-group of them.
_BINS: Final = 256

#: Work-items that move one state together.
_PARTS: Final = 16

_ZERO: Final = np.zeros(1, np.uint32)


class StagedSearch(NonceSearch):
    """Launches of the nonce search on one device, in rounds of one nonce a work-item."""

    KERNELS = tuple(
        f"stage_{name}" for name in ("start", "crypt", "bins", "order", "gather", "finish")
    )

    def __init__(self, context: DeviceContext, tuning: Tuning) -> None:
        self._context = context
        self._places = tuning.work_items
        self._local = (tuning.group_size,)
        program = context.build("announcement_stages.cl", SPREAD=tuning.group_size)
        (
            self._start,
            self._crypt,
            self._bins,
            self._order,
            self._gather,
            self._finish,
        ) = (context.kernel(program, name) for name in self.KERNELS)
        states = size_in_source(context, program, "stage_place_size") * self._places
        self._states = [allocate(context, states) for _ in range(2)]
        self._next_places, self._chosen = (allocate(context, 4 * self._places) for _ in range(2))
        self._counts = allocate(context, 4 * _BINS)

    def enqueue(
        self,
        keystream: cl.Buffer,
        table: cl.Buffer,
        nonces: range,
        target: int,
        progress: cl.Buffer,
        finds: cl.Buffer,
        capacity: int,
    ) -> cl.Event:
        """See `NonceSearch.enqueue`."""
        event = cl.enqueue_fill_buffer(self._context.queue, progress, _ZERO, 0, 8)
        for first in range(nonces.start, nonces.stop, self._places):
            count = min(self._places, nonces.stop - first)
            states, chosen = self._updated_states(keystream, table, first, count)
            event = self._launch(
                self._finish,
                states,
                np.uint32(count),
                chosen,
                progress,
                finds,
                np.uint32(capacity),
                *target_words(target),
            )
        return event

    def _updated_states(
        self, keystream: cl.Buffer, table: cl.Buffer, first: int, nonces: int
    ) -> tuple[cl.Buffer, cl.Buffer]:
        """Enqueue the stages of one round up to the last update.

        Returns where the states will be, and the numbers of their last items.
        """
        queue = self._context.queue
        states, others = self._states
        count = np.uint32(nonces)
        self._launch(self._start, keystream, table, states, self._chosen, np.uint32(first))
        for update in range(_UPDATES):
            if update > 0:
                self._bins(queue, (_BINS,), (_BINS,), self._counts)
                self._launch(self._order, states, count, self._counts, self._next_places)
                self._launch(
                    self._gather,
                    states,
                    others,
                    count,
                    self._next_places,
                    table,
                    self._chosen,
                    np.uint32(self._places),
                    parts=_PARTS,
                )
                states, others = others, states
            cl.enqueue_fill_buffer(queue, self._counts, _ZERO, 0, 4 * _BINS)
            self._launch(self._crypt, states, count, self._counts)
        return states, self._chosen

    def _launch(
        self,
        kernel: CountedKernel,
        *arguments: cl.Buffer | np.generic,
        parts: int = 1,
    ) -> cl.Event:
        return kernel(self._context.queue, (self._places * parts,), self._local, *arguments)
