"""Where a device has the rows of the announcement store: the host side of announcement_rows.cl."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE

#: Parts of a copied store. OpenCL guarantees a quarter of the device's memory to each.
_PARTS: Final = 4


class AnnouncementRows(Protocol):
    """A store as kernels are passed it.

    parts     : STORE_PARTS for the compiler
    arguments : what STORE_PARAMETERS stands for in a kernel's parameters
    """

    @property
    def parts(self) -> int: ...

    @property
    def arguments(self) -> tuple[cl.Buffer | np.generic, ...]: ...

    def written(self, first: int, count: int) -> None:
        """Rows first … first+count−1 have new contents on the host."""
        ...


class SharedRows:
    """The store in the host's memory, read in place by kernels on the host's cores."""

    parts = 1

    def __init__(self, store: npt.NDArray[np.uint8]) -> None:
        """store : (n, 1024) uint8, C-contiguous; kept alive"""
        self._store = store
        self.arguments = (np.uint64(store.ctypes.data),)

    def written(self, first: int, count: int) -> None:
        """Nothing to do: it is the same memory."""


class CopiedRows:
    """A copy of the store in the device's memory."""

    parts = _PARTS

    def __init__(self, context: DeviceContext, store: npt.NDArray[np.uint8]) -> None:
        """store : (n, 1024) uint8, C-contiguous; kept alive

        Raises `cl.Error` if the device has not enough memory.
        """
        self._context = context
        self._store = store
        capacity = len(store)
        #: Rows of a part: a power of two, so that the kernels can shift.
        self._part_rows = 1 << (-(-capacity // _PARTS) - 1).bit_length()
        sizes = [
            min(max(capacity - part * self._part_rows, 0), self._part_rows)
            for part in range(_PARTS)
        ]
        # A kernel takes no buffer of nothing.
        self._buffers = [allocate(context, ANNOUNCEMENT_SIZE * max(size, 1)) for size in sizes]
        part_bits = np.uint32(self._part_rows.bit_length() - 1)
        self.arguments: tuple[cl.Buffer | np.generic, ...] = (*self._buffers, part_bits)

    def written(self, first: int, count: int) -> None:
        """Copy the rows to the device, before what is enqueued from now on."""
        end = first + count
        while first < end:
            part, row = divmod(first, self._part_rows)
            rows = min(self._part_rows - row, end - first)
            self._context.copy_to_device(
                self._buffers[part], self._store[first : first + rows], ANNOUNCEMENT_SIZE * row
            ).wait()
            first += rows


def announcement_rows(context: DeviceContext, store: npt.NDArray[np.uint8]) -> AnnouncementRows:
    """The rows of `store` as suits the device."""
    if context.traits.is_cpu:
        return SharedRows(store)
    return CopiedRows(context, store)
