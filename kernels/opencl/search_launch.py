"""What a search under way found, also when it found more than there was room for."""

from collections import deque
from collections.abc import Callable

import numpy as np
import pyopencl as cl

from packetcrypt.kernels.interface import FoundAnnouncements, SearchLaunch
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.finish import AnnouncementFinish, LaunchBuffers

#: Enqueues search and finishing of a range of soft nonces; returns the copies' events.
Enqueue = Callable[[range, LaunchBuffers], list[cl.Event]]


class OpenCLLaunch(SearchLaunch):
    """A launch under way; `result` gives its buffers back."""

    def __init__(
        self,
        context: DeviceContext,
        finish: AnnouncementFinish,
        enqueue: Enqueue,
        nonces: range,
        free: deque[LaunchBuffers],
    ) -> None:
        self._context = context
        self._finish = finish
        self._enqueue = enqueue
        self._nonces = nonces
        self._free = free
        self._buffers = free.popleft()
        with context.reporting("searching"):
            self._copied = enqueue(nonces, self._buffers)

    def result(self) -> FoundAnnouncements:
        """Wait for the search and return what it found. Call exactly once."""
        with self._context.reporting("searching"):
            found = self._finish.collect(self._buffers, self._copied)
            if found is None:
                found = self._search_in_parts()
        self._free.append(self._buffers)
        return found

    def _search_in_parts(self) -> FoundAnnouncements:
        """Search again, in parts so short that there is room for every nonce."""
        found = []
        for first in range(self._nonces.start, self._nonces.stop, self._buffers.capacity):
            part = range(first, min(first + self._buffers.capacity, self._nonces.stop))
            few = self._finish.collect(self._buffers, self._enqueue(part, self._buffers))
            assert few is not None
            found.append(few)
        return FoundAnnouncements(
            np.concatenate([few.announcements for few in found]),
            np.concatenate([few.keys for few in found]),
            np.concatenate([few.soft_nonces for few in found]),
        )
