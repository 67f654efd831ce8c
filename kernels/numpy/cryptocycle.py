"""How CryptoCycle works on a batch of states at once (spec 1 §2).

A batch is array-of-structures, a row of 2112 bytes a state (2048 and 64 spare, so that rows do not
fall onto the same cache sets). From the second update on every state has its own direction, lengths
and alignment. So `crypt` goes through the rows in *slabs*: rows of one direction, sorted by the
number of blocks Poly1305 absorbs, which then share one array of blocks without much waste; ChaCha20
runs over all (row, block) pairs of a slab, without any waste. The rows themselves stay where they
are.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.chacha20 import BLOCK_WORDS, ChaCha20
from packetcrypt.kernels.numpy.control import MAX_UNITS, UNIT, Control, Indexes
from packetcrypt.kernels.numpy.poly1305 import Poly1305
from packetcrypt.protocol.cryptocycle import STATE_SIZE
from packetcrypt.protocol.primitives import expand

ROW_SIZE = STATE_SIZE + 64
ROW_WORDS = ROW_SIZE // 8
ITEM_WORDS = slice(4, 132)
"""where an item is written in a row of u64 words"""

_ROW_UNITS = ROW_SIZE // UNIT
_HEAD_UNITS = 3  # before what is absorbed: nonce and control, key
_HEAD_WORDS = 12  # the same in u32 words
_CHACHA_UNITS = 4
_CHACHA_SIZE = 64
_UNIT_DTYPE = np.dtype(np.complex128)  # any type of 16 bytes that NumPy copies fast
_BLOCK_DTYPE = np.dtype((np.void, _CHACHA_SIZE))
_CONTROL = 3  # u32 words of a row
_KEY = slice(4, 12)
_NONCE = slice(0, 3)
_TAG = slice(2, 4)  # u64 words of a row

#: Arrays of these lengths hide what a NumPy call costs.
_SLAB_ROWS = 8192
_CHACHA_BLOCKS = 16384
_ITEM_ROWS = 256

#: Row z: the 16 bytes by which zeroing the last z bytes of a block is an AND, as two u64.
_TAIL_MASKS = (
    np.where(np.arange(UNIT) < UNIT - np.arange(UNIT)[:, None], 0xFF, 0)
    .astype(np.uint8)
    .view(np.uint64)
)

States = npt.NDArray[np.uint64]


def empty_states(count: int) -> States:
    """Room for `count` states: (count, 264) uint64; the last 8 words of a row are spare."""
    return np.zeros((count, ROW_WORDS), np.uint64)


def init(states: States, seed: bytes, nonces: npt.NDArray[np.integer]) -> None:
    """Make row i the state init(seed, nonces[i]). seed : 32 bytes; nonces : (n,) u64"""
    states[:, : STATE_SIZE // 8] = np.frombuffer(expand(seed, 0, STATE_SIZE), "<u8")
    states[:, 0] = nonces
    fuzz(states)


def fuzz(states: States) -> None:
    """Draw new control words from the keys."""
    words = states.view(np.uint32)
    np.bitwise_or(words[:, 4] & np.uint32(0x00FFFFFF), np.uint32(32 << 17), words[:, _CONTROL])


def item_numbers(states: States, table_size: int) -> Indexes:
    """Which items the states choose from a table: (n,)"""
    return (states[:, 2] % np.uint64(table_size)).astype(np.intp)


class CryptoCycle:
    """The buffers that updates of any number of states need: about 25 MB. Not to be shared.

    checkpoint : called every few milliseconds of work; what it raises ends the work
    """

    def __init__(self, checkpoint: Callable[[], None] = lambda: None) -> None:
        self._checkpoint = checkpoint
        self._chacha = ChaCha20(_CHACHA_BLOCKS)
        self._poly = Poly1305(_SLAB_ROWS, checkpoint)
        self._keystream = np.empty((_CHACHA_BLOCKS, BLOCK_WORDS), np.uint32)
        self._blocks = np.empty((MAX_UNITS + 1) * _SLAB_ROWS, np.complex128)
        self._items = np.empty((_ITEM_ROWS, ITEM_WORDS.stop - ITEM_WORDS.start), np.uint64)

    def update(
        self, states: States, items: States, numbers: Indexes, visible: tuple[int, int]
    ) -> None:
        """Write items[numbers[i]] into row i, draw its control word and crypt.

        items   : (m, 128) uint64, C-contiguous
        visible : which bytes of the rows anyone will look at (see `crypt`)
        """
        for first in range(0, len(states), _ITEM_ROWS):
            piece = numbers[first : first + _ITEM_ROWS]
            chosen = self._items[: len(piece)]
            np.take(items, piece, axis=0, out=chosen, mode="clip")
            states[first : first + _ITEM_ROWS, ITEM_WORDS] = chosen
        fuzz(states)
        self.crypt(states, visible)

    def crypt(self, states: States, visible: tuple[int, int]) -> None:
        """Encrypt or decrypt the message of every row and put the tag into its key.

        visible : first byte and end of the part of the rows' messages that will be looked at.
                  Before an item is written over bytes 32…1055 of a decrypted message, nobody has
                  seen them, and the keystream for them need not be made. Outside, the messages are
                  undefined afterwards.
        """
        words = states.view(np.uint32)[:, _CONTROL]
        control = Control.of(words)
        words[:] = control.words
        # One direction after the other, longest first, as Poly1305 wants them.
        order = np.argsort(256 * control.decrypt - control.absorbed, kind="stable")
        encrypted = len(order) - int(control.decrypt.sum())
        for rows in (order[:encrypted], order[encrypted:]):
            for first in range(0, len(rows), _SLAB_ROWS):
                slab = rows[first : first + _SLAB_ROWS]
                self._crypt_slab(states, slab, control[slab], visible)

    def _crypt_slab(
        self, states: States, rows: Indexes, control: Control, visible: tuple[int, int]
    ) -> None:
        """`crypt` for rows of one direction; `control` is theirs."""
        heads = np.ascontiguousarray(states.view(np.uint32)[rows, :_HEAD_WORDS].T)
        first_unit = rows * _ROW_UNITS + _HEAD_UNITS
        keys = np.empty((8, len(rows)), np.uint32)
        self._fill_inputs(heads, 0)
        self._chacha.run(keys)
        if control.decrypt[0]:
            blocks = self._absorbed(states, first_unit, control)
            message = _blocks_seen(control, visible)
            self._xor_keystream(states, heads, first_unit, control, message)
        else:
            message = _all_blocks(control)
            self._xor_keystream(states, heads, first_unit, control, message)
            last_units = first_unit + control.absorbed - 1
            states.reshape(-1, 2)[last_units] &= _TAIL_MASKS[control.tail]
            blocks = self._absorbed(states, first_unit, control)
        states[rows, _TAG] = self._poly.tags(keys, blocks, control.absorbed + 1).T

    def _fill_inputs(self, heads: npt.NDArray[np.uint32], counters: Indexes | int) -> None:
        inputs = self._chacha.inputs(heads.shape[1])
        inputs[:8] = heads[_KEY]
        inputs[8] = counters
        inputs[9:] = heads[_NONCE]

    def _absorbed(self, states: States, first_unit: Indexes, control: Control) -> States:
        """What the tags absorb, aligned at the end, the byte counts last: (m, n, 2) uint64.

        Above its beginning a column holds other bytes, which the caller does not look at.
        """
        absorbed = control.absorbed
        longest = int(absorbed[0])
        blocks = self._blocks[: (longest + 1) * len(absorbed)].reshape(longest + 1, len(absorbed))
        units = np.arange(longest)[:, None] + (first_unit + absorbed - longest)
        # Units before the first row can come up (down to −90); "clip" makes them unit 0.
        np.take(states.reshape(-1).view(_UNIT_DTYPE), units, out=blocks[:-1], mode="clip")
        halves = blocks.view(np.uint64).reshape(*blocks.shape, 2)
        halves[-1] = control.sizes
        return halves

    def _xor_keystream(
        self,
        states: States,
        heads: npt.NDArray[np.uint32],
        first_unit: Indexes,
        control: Control,
        blocks: tuple[Indexes, Indexes],
    ) -> None:
        """XOR keystream onto messages; `blocks`: the first block of each row, and how many."""
        first_block, counts = blocks
        row = np.repeat(np.arange(len(counts)), counts)
        block = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts - first_block, counts)
        position = (first_unit + control.start)[row] + _CHACHA_UNITS * block
        units_left = control.length[row] - _CHACHA_UNITS * block
        pieces = -(-len(row) // _CHACHA_BLOCKS)
        for piece in np.array_split(np.arange(len(row)), max(1, pieces)):
            part = slice(piece[0], piece[-1] + 1) if len(piece) else slice(0, 0)
            self._fill_inputs(heads[:, row[part]], block[part] + 1)
            keystream = self._keystream[: len(piece)]
            self._chacha.run(keystream.T)
            _trim(keystream, units_left[part])
            _xor_windows(states, position[part], keystream)
            self._checkpoint()


def _all_blocks(control: Control) -> tuple[Indexes, Indexes]:
    """First ChaCha20 block of each message, and their number."""
    return np.zeros_like(control.length), -(-control.length // _CHACHA_UNITS)


def _blocks_seen(control: Control, visible: tuple[int, int]) -> tuple[Indexes, Indexes]:
    """First ChaCha20 block of each message with a byte in the range `visible`, and their number."""
    begin, end = (byte - _HEAD_UNITS * UNIT - UNIT * control.start for byte in visible)
    first = np.maximum(begin // _CHACHA_SIZE, 0)
    stop = np.minimum(-(-end // _CHACHA_SIZE), _all_blocks(control)[1])
    return first, np.maximum(stop - first, 0)


def _trim(keystream: npt.NDArray[np.uint32], units_left: Indexes) -> None:
    """Zero what goes past the ends of messages that have fewer than four units left."""
    units = keystream.view(_UNIT_DTYPE)
    for left in range(1, _CHACHA_UNITS):
        units[units_left == left, left:] = 0


def _xor_windows(states: States, positions: Indexes, keystream: npt.NDArray[np.uint32]) -> None:
    """XOR each row of 64 bytes onto the states at a position counted in units."""
    # Opaque records of 64 bytes, one beginning at every unit: indexing them moves 64 bytes an
    # index, five times faster than indexing rows of words.
    blocks = states.reshape(-1).view(_BLOCK_DTYPE)
    count = states.size * 8 // UNIT - (_CHACHA_UNITS - 1)
    windows = np.lib.stride_tricks.as_strided(blocks, (count,), (UNIT,))
    chosen = windows[positions]
    words = chosen.view(np.uint64)
    words ^= keystream.reshape(-1).view(np.uint64)
    windows[positions] = chosen
