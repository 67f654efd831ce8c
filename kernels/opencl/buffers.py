"""How arrays get to a device and back."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.device_use import CountedBuffer

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class Download(Generic[_Scalar]):
    """An array that is being filled from a device."""

    array: npt.NDArray[_Scalar] = field(repr=False)
    copied: cl.Event = field(repr=False)

    def result(self) -> npt.NDArray[_Scalar]:
        """Wait for it."""
        self.copied.wait()
        return self.array


def upload(context: DeviceContext, array: npt.NDArray[np.generic]) -> cl.Buffer:
    """A buffer for kernels to read, with what `array` holds now."""
    flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
    context.use.copied(array.nbytes)
    contiguous = np.ascontiguousarray(array)
    return CountedBuffer(context.context, flags, context.use, hostbuf=contiguous)


def allocate(context: DeviceContext, size: int) -> cl.Buffer:
    """A buffer of `size` bytes for kernels to write and read."""
    return CountedBuffer(context.context, cl.mem_flags.READ_WRITE, context.use, size)


def download(
    context: DeviceContext, buffer: cl.Buffer, like: npt.NDArray[np.generic], offset: int = 0
) -> None:
    """Wait for what is enqueued, and fill `like` from the buffer's byte `offset` on."""
    context.copy_to_host(like, buffer, offset, wait=True)


def begin_download(
    context: DeviceContext, buffer: cl.Buffer, like: npt.NDArray[_Scalar]
) -> Download[_Scalar]:
    """Enqueue the filling of `like` from the beginning of the buffer; returns at once."""
    return Download(like, context.copy_to_host(like, buffer))


def size_in_source(context: DeviceContext, program: cl.Program, kernel_name: str) -> int:
    """A size that only the source knows, as the kernel of this name tells it (one uint32).

    It may depend on the vector width that the compiler found.
    """
    size = np.zeros(1, np.uint32)
    buffer = allocate(context, size.nbytes)
    context.kernel(program, kernel_name)(context.queue, (1,), (1,), buffer)
    download(context, buffer, size)
    return int(size[0])
