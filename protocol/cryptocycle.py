"""What CryptoCycle does to its 2048-byte state (spec 1 §2).

The state is a bytearray that the functions change in place. Its parts:

    0..11       ChaCha20 nonce
    12..15      control word
    16..47      ChaCha20 key; 16..31 is later replaced by the Poly1305 tag
    16..23      as a u64: the item number
    32..1055    where an item is written
"""

import struct
from dataclasses import dataclass

from packetcrypt.protocol.primitives import (
    chacha20_keystream,
    expand,
    h32,
    poly1305,
    x25519,
    x25519_base,
)

STATE_SIZE = 2048
ITEM_SIZE = 1024
ITEM_OFFSET = 32

_CONTROL = 12
_KEY = 16
_TAIL = 48
_MAX_BLOCKS = 125


@dataclass(frozen=True)
class Control:
    """The control word at byte 12, taken apart."""

    additional_zeros: int
    """azc: bytes by which the length of the additional data is understated in the tag"""
    tail_zeros: int
    """tzc: bytes zeroed at the end of an encrypted message"""
    decrypt: bool
    additional_blocks: int
    """add: 16-byte blocks of additional data before the message"""
    length_blocks: int
    """len: 16-byte blocks of message asked for (before `crypt` truncates it)"""

    @classmethod
    def of(cls, state: bytes | bytearray) -> "Control":
        word = _word(state)
        return cls(
            additional_zeros=word & 0xF,
            tail_zeros=word >> 8 & 0xF,
            decrypt=bool(word >> 12 & 1),
            additional_blocks=word >> 13 & 7,
            length_blocks=word >> 17 & 0x7F,
        )


def _word(state: bytes | bytearray) -> int:
    return int.from_bytes(state[_CONTROL : _CONTROL + 4], "little")


def item_number(state: bytes | bytearray) -> int:
    """The u64 at 16, which chooses the next item (modulo the number of items)."""
    return int.from_bytes(state[_KEY : _KEY + 8], "little")


def init(seed: bytes, nonce: int) -> bytearray:
    """A fresh state from a 32-byte seed and a u64 nonce, which only changes bytes 0..7."""
    state = bytearray(expand(seed, 0, STATE_SIZE))
    state[0:8] = struct.pack("<Q", nonce)
    fuzz(state)
    return state


def fuzz(state: bytearray) -> None:
    """Draw a new control word from the key: version and F cleared, at least 32 message blocks."""
    word = int.from_bytes(state[_KEY : _KEY + 4], "little")
    word = word & 0x00FFFFFF | 32 << 17
    state[_CONTROL : _CONTROL + 4] = struct.pack("<I", word)


def crypt(state: bytearray) -> None:
    """Encrypt or decrypt the message in the state and put the Poly1305 tag at 16..31."""
    control = Control.of(state)
    longest = _MAX_BLOCKS - control.additional_blocks
    truncated = control.length_blocks > longest
    length = min(control.length_blocks, longest)
    word = _word(state) & ~(1 << 16 | 0x7F << 17) | truncated << 16 | length << 17
    state[_CONTROL : _CONTROL + 4] = struct.pack("<I", word)

    additional, message = 16 * control.additional_blocks, 16 * length
    start, end = _TAIL + additional, _TAIL + additional + message
    keystream = chacha20_keystream(state[_KEY : _KEY + 32], state[0:12], 0, 64 + message)
    poly_key, pad = keystream[:32], keystream[64:]

    if control.decrypt:
        absorbed = bytes(state[_TAIL:end])
        state[start:end] = _xor(state[start:end], pad)
    else:
        state[start:end] = _xor(state[start:end], pad)
        state[end - control.tail_zeros : end] = bytes(control.tail_zeros)
        absorbed = bytes(state[_TAIL:end])
    lengths = struct.pack(
        "<QQ",
        (additional - control.additional_zeros) % (1 << 64),
        (message - control.tail_zeros) % (1 << 64),
    )
    state[_KEY : _KEY + 16] = poly1305(poly_key, absorbed + lengths)


def _xor(data: bytes | bytearray, pad: bytes) -> bytes:
    return (int.from_bytes(data, "little") ^ int.from_bytes(pad, "little")).to_bytes(
        len(data), "little"
    )


def update(state: bytearray, item: bytes) -> None:
    """Write a 1024-byte item over bytes 32..1055, draw a control word and crypt."""
    state[ITEM_OFFSET : ITEM_OFFSET + ITEM_SIZE] = item
    fuzz(state)
    crypt(state)


def smul(state: bytearray) -> None:
    """Bytes 64..95 become the X25519 product of two keys of the state (blocks only, spec 1 §5)."""
    state[64:96] = x25519(state[0:32], x25519_base(state[32:64]))


def final(state: bytearray) -> None:
    """Bytes 0..31 become H32 of the whole state: the work hash."""
    state[0:32] = h32(state)
