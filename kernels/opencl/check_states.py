"""What the device does with the states of announcements under validation (check.cl's host side)."""

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import (
    Download,
    allocate,
    begin_download,
    download,
    upload,
)
from packetcrypt.kernels.opencl.check_items import MadeItems
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.device_use import CountedKernel
from packetcrypt.kernels.opencl.tile import TileLayout, hashing_work_items, launch_shape
from packetcrypt.protocol.announcement import HASH_SIZE

_Bytes = npt.NDArray[np.uint8]
_Words = npt.NDArray[np.uint32]
_Indexes = npt.NDArray[np.intp]


class CheckKernels:
    """The kernels of check.cl on one device."""

    def __init__(self, context: DeviceContext) -> None:
        self._context = context
        self.layout = TileLayout.of(context.traits)
        program = context.build("check.cl", **self.layout.defines)
        self._start = context.kernel(program, "check_start")
        self._update = context.kernel(program, "check_update")
        self._finish = context.kernel(program, "check_finish")
        self._branches = context.kernel(program, "check_branches")
        self._keys = context.kernel(program, "check_keys")

    def tiles(self, count: int) -> int:
        """Tiles that hold the states of so many announcements."""
        return -(-count // self.layout.items)

    def start(self, count: int, *arguments: cl.Buffer) -> None:
        """Enqueue check_start for `count` announcements; arguments as in check.cl."""
        self._run(self._start, self.tiles(count), count, arguments)

    def update(self, count: int, *arguments: cl.Buffer) -> None:
        """Enqueue check_update."""
        self._run(self._update, self.tiles(count), count, arguments)

    def finish(self, count: int, *arguments: cl.Buffer) -> None:
        """Enqueue check_finish."""
        self._run(self._finish, self._hashing(count), count, arguments)

    def branches(self, count: int, *arguments: cl.Buffer) -> None:
        """Enqueue check_branches."""
        self._run(self._branches, self._hashing(count), count, arguments)

    def keys(self, announcements: _Bytes) -> Download[np.uint64]:
        """Enqueue the dedup keys of (n, 1024) announcements, n ≥ 1."""
        count = len(announcements)
        keys = np.empty(count, np.uint64)
        buffer = allocate(self._context, keys.nbytes)
        arguments = (upload(self._context, announcements), buffer)
        self._run(self._keys, self._hashing(count), count, arguments)
        return begin_download(self._context, buffer, keys)

    def _hashing(self, count: int) -> int:
        return hashing_work_items(self._context.traits, count)

    def _run(
        self, kernel: CountedKernel, work_items: int, count: int, arguments: tuple[cl.Buffer, ...]
    ) -> None:
        shape = launch_shape(self._context.traits, work_items)
        kernel(self._context.queue, *shape, *arguments, np.uint32(count))


class CheckStates:
    """The CryptoCycle states of m announcements on the device, from init to the Merkle branch."""

    def __init__(
        self,
        context: DeviceContext,
        kernels: CheckKernels,
        announcements: _Bytes,
        soft_nonces: _Words,
        owners: _Indexes,
        templates: cl.Buffer,
    ) -> None:
        """Initialise the states.

        announcements, soft_nonces : (m, 1024) and (m,)
        owners                     : (m,) which template each starts from
        templates                  : of 2048 bytes, states of soft nonce 0 after init
        """
        self._context = context
        self._kernels = kernels
        self._count = count = len(announcements)
        self._announcements = upload(context, announcements)
        self._states = allocate(context, kernels.tiles(count) * kernels.layout.space)
        self._numbers = allocate(context, 4 * count)
        kernels.start(
            count,
            templates,
            upload(context, owners.astype(np.uint32)),
            upload(context, soft_nonces),
            self._states,
            self._numbers,
        )

    def item_numbers(self) -> _Words:
        """(m,) the items that the next update takes."""
        numbers = np.empty(self._count, np.uint32)
        download(self._context, self._numbers, numbers)
        return numbers

    def update(self, items: MadeItems) -> None:
        """Let every state absorb its item."""
        rows = upload(self._context, items.row_of)
        self._kernels.update(self._count, items.rows, rows, self._states, self._numbers)

    def finish(self) -> tuple[_Bytes, npt.NDArray[np.bool_]]:
        """Hash the states: (m, 32) work hashes, (m,) whether the item prefix decrypts to zeros."""
        hashes = np.empty((self._count, HASH_SIZE), np.uint8)
        zero = np.empty(self._count, np.uint8)
        hash_buffer = allocate(self._context, hashes.nbytes)
        zero_buffer = allocate(self._context, zero.nbytes)
        self._kernels.finish(
            self._count, self._announcements, self._states, hash_buffer, zero_buffer
        )
        download(self._context, hash_buffer, hashes)
        download(self._context, zero_buffer, zero)
        return hashes, zero != 0

    def branches_match(
        self, chosen: _Indexes, numbers: _Words, leaves: MadeItems
    ) -> npt.NDArray[np.bool_]:
        """(c,) whether branches lead to the roots, after `finish`.

        chosen  : (c,) which announcements
        numbers : (c,) their leaves' numbers; leaves: their items
        """
        matches = np.empty(len(chosen), np.uint8)
        buffer = allocate(self._context, matches.nbytes)
        self._kernels.branches(
            len(chosen),
            self._announcements,
            self._states,
            upload(self._context, chosen.astype(np.uint32)),
            upload(self._context, numbers),
            leaves.rows,
            upload(self._context, leaves.row_of),
            buffer,
        )
        download(self._context, buffer, matches)
        return matches.astype(np.bool_)
