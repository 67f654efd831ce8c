"""How arrays get to a device and back."""

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.context import DeviceContext


def upload(context: DeviceContext, array: npt.NDArray[np.generic]) -> cl.Buffer:
    """A buffer for kernels to read, with what `array` holds now."""
    flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
    return cl.Buffer(context.context, flags, hostbuf=np.ascontiguousarray(array))


def allocate(context: DeviceContext, size: int) -> cl.Buffer:
    """A buffer of `size` bytes for kernels to write and read."""
    return cl.Buffer(context.context, cl.mem_flags.READ_WRITE, size)


def download(
    context: DeviceContext, buffer: cl.Buffer, like: npt.NDArray[np.generic], offset: int = 0
) -> None:
    """Wait for what is enqueued, and fill `like` from the buffer's byte `offset` on."""
    cl.enqueue_copy(context.queue, like, buffer, src_offset=offset)
