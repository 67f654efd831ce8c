"""Which hashes, ciphers and curve operations the protocol is made of (spec 1 §1)."""

import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.poly1305 import Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_EXPAND_LABEL = b"PC_EXPND"


def h32(data: bytes | bytearray) -> bytes:
    """H32: unkeyed BLAKE2b with a 32-byte digest."""
    return hashlib.blake2b(data, digest_size=32).digest()


def h64(data: bytes | bytearray) -> bytes:
    """H64: unkeyed BLAKE2b with a 64-byte digest."""
    return hashlib.blake2b(data, digest_size=64).digest()


def chacha20_keystream(
    key: bytes | bytearray, nonce: bytes | bytearray, counter: int, length: int
) -> bytes:
    """`length` bytes of ChaCha20-IETF keystream (RFC 8439) from block `counter` on.

    key : 32 bytes; nonce : 12 bytes
    """
    iv = struct.pack("<I", counter) + bytes(nonce)
    return Cipher(algorithms.ChaCha20(bytes(key), iv), mode=None).encryptor().update(bytes(length))


def poly1305(key: bytes | bytearray, data: bytes | bytearray) -> bytes:
    """The 16-byte Poly1305 tag (RFC 8439) of `data` under a 32-byte one-time key."""
    return Poly1305.generate_tag(bytes(key), bytes(data))


def expand(seed: bytes | bytearray, number: int, length: int) -> bytes:
    """expand(seed, number, length): keystream that fills states, memories and random words.

    seed : 32 bytes; number : u32
    """
    return chacha20_keystream(seed, struct.pack("<I", number) + _EXPAND_LABEL, 0, length)


def x25519(scalar: bytes | bytearray, u: bytes | bytearray) -> bytes:
    """RFC 7748: the 32-byte u-coordinate of clamp(scalar) times the point with coordinate u."""
    private = X25519PrivateKey.from_private_bytes(bytes(scalar))
    return private.exchange(X25519PublicKey.from_public_bytes(bytes(u)))


def x25519_base(scalar: bytes | bytearray) -> bytes:
    """RFC 7748: the 32-byte u-coordinate of clamp(scalar) times the base point."""
    public = X25519PrivateKey.from_private_bytes(bytes(scalar)).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
