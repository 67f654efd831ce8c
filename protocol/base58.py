"""How base58 and base58check text is read and written.

Base58 is a big-endian number in 58 digits, with one "1" for each leading zero byte. Base58check
appends the first four bytes of the double SHA-256.
"""

import hashlib

from packetcrypt.protocol.errors import DecodeError

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHECKSUM_SIZE = 4
# The conversion is quadratic in the length; nothing that PKT writes in base58 is near this.
MAX_LENGTH = 512


def encode_base58(data: bytes) -> str:
    """Any bytes as base58 text."""
    digits = []
    value = int.from_bytes(data)
    while value:
        value, digit = divmod(value, 58)
        digits.append(ALPHABET[digit])
    leading_zeros = len(data) - len(data.lstrip(b"\0"))
    return ALPHABET[0] * leading_zeros + "".join(reversed(digits))


def decode_base58(text: str) -> bytes:
    """The inverse of `encode_base58`; DecodeError names the first character that is no digit."""
    if len(text) > MAX_LENGTH:
        raise DecodeError(f"{len(text)} characters, but base58 text here has at most {MAX_LENGTH}")
    value = 0
    for position, character in enumerate(text, start=1):
        digit = ALPHABET.find(character)
        if digit < 0:
            raise DecodeError(f"{character!r} at character {position} is not used in base58")
        value = value * 58 + digit
    leading_zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(leading_zeros) + value.to_bytes((value.bit_length() + 7) // 8)


def encode_base58check(payload: bytes) -> str:
    """Base58 of the payload (version byte first) and its checksum."""
    return encode_base58(payload + _checksum(payload))


def decode_base58check(text: str) -> bytes:
    """The payload, version byte first; DecodeError if the checksum does not match."""
    data = decode_base58(text)
    if len(data) <= _CHECKSUM_SIZE:
        raise DecodeError("too short for a version, a hash and a checksum")
    payload, checksum = data[:-_CHECKSUM_SIZE], data[-_CHECKSUM_SIZE:]
    if checksum != _checksum(payload):
        raise DecodeError("the checksum does not match: a character is mistyped or missing")
    return payload


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM_SIZE]
