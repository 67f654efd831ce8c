"""How much is a device asked to do: its launches, copies and buffers, counted as they are made."""

import weakref
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyopencl as cl


@dataclass
class DeviceUse:
    """Counters of one device since it was opened. Cheap enough to be always on.

    launches      : kernels enqueued
    copied_bytes  : between host and device, both ways
    held_bytes    : size of the buffers that exist
    peak_bytes    : the most that `held_bytes` ever was
    profiled      : (kernel name, event) of every launch since `take_profile`, if asked for
    """

    launches: int = 0
    copied_bytes: int = 0
    held_bytes: int = 0
    peak_bytes: int = 0
    profiled: list[tuple[str, cl.Event]] | None = field(default=None, repr=False)

    def buffer_made(self, size: int) -> None:
        """Count a new buffer."""
        self.held_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.held_bytes)

    def buffer_gone(self, size: int) -> None:
        """Nothing refers to a buffer any more."""
        self.held_bytes -= size

    def copied(self, size: int) -> None:
        """Count a copy of `size` bytes."""
        self.copied_bytes += size

    def take_profile(self) -> dict[str, float]:
        """Seconds that the device spent in each kernel since the last call; waits for them."""
        seconds: dict[str, float] = {}
        for name, event in self.profiled or ():
            event.wait()
            duration = (event.profile.end - event.profile.start) * 1e-9
            seconds[name] = seconds.get(name, 0.0) + duration
        if self.profiled is not None:
            self.profiled.clear()
        return seconds


class CountedBuffer(cl.Buffer):
    """Memory of a device, as pyopencl makes it. Of a `hostbuf` the runtime takes a copy."""

    def __init__(
        self,
        context: cl.Context,
        flags: cl.mem_flags | int,
        use: DeviceUse,
        size: int = 0,
        hostbuf: npt.NDArray[np.generic] | None = None,
    ) -> None:
        super().__init__(context, flags, size, hostbuf)
        use.buffer_made(self.size)
        weakref.finalize(self, use.buffer_gone, self.size).atexit = False


class CountedKernel:
    """A kernel of a program, called as pyopencl's are."""

    def __init__(self, program: cl.Program, name: str, use: DeviceUse) -> None:
        self._kernel = cl.Kernel(program, name)
        self._name = name
        self._use = use

    def __call__(
        self,
        queue: cl.CommandQueue,
        global_size: tuple[int, ...],
        local_size: tuple[int, ...] | None,
        *arguments: cl.Buffer | np.generic | None,
    ) -> cl.Event:
        """Enqueue it."""
        event = self._kernel(queue, global_size, local_size, *arguments)
        self._use.launches += 1
        if self._use.profiled is not None:
            self._use.profiled.append((self._name, event))
        return event
