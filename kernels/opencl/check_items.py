"""Which table items announcements under validation need, each computed once on the device."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.check_plan import needed_items
from packetcrypt.kernels.opencl.buffers import Download, allocate, begin_download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.randhash import LoadedTables, RandHash
from packetcrypt.protocol.cryptocycle import ITEM_SIZE


@dataclass(frozen=True)
class MadeItems:
    """Items for m announcements.

    rows     : on the device, distinct items of 1024 bytes
    row_of   : (m,) uint32, the row of each announcement's item
    too_long : uint8 for each row, not 0 if the program ran too long
    """

    rows: cl.Buffer
    row_of: npt.NDArray[np.uint32]
    too_long: Download[np.uint8]

    def computable(self) -> npt.NDArray[np.bool_]:
        """Wait for the items; (m,): where not, the program ran too long, the row is arbitrary."""
        computable: npt.NDArray[np.bool_] = self.too_long.result()[self.row_of] == 0
        return computable


class TableItems:
    """Computes items of some tables."""

    def __init__(self, context: DeviceContext, randhash: RandHash, tables: LoadedTables) -> None:
        self._context = context
        self._randhash = randhash
        self._tables = tables

    def make(self, owners: npt.NDArray[np.intp], numbers: npt.NDArray[np.uint32]) -> MadeItems:
        """Enqueue items for m announcements: (m,) indexes of tables and (m,) item numbers."""
        needed = needed_items(owners.astype(np.int64), numbers.astype(np.uint64))
        count = len(needed.numbers)
        rows = allocate(self._context, ITEM_SIZE * count)
        too_long = allocate(self._context, count)
        self._randhash.run(
            self._tables, needed.groups, upload(self._context, needed.numbers), rows, too_long
        )
        flags = begin_download(self._context, too_long, np.empty(count, np.uint8))
        return MadeItems(rows, needed.inverse.astype(np.uint32), flags)
