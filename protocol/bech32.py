"""How bech32 and bech32m text is read and written (BIP 173, BIP 350).

Both forms differ only in the constant of their checksum. Text is a human readable part, a "1", and
5-bit words as characters of `ALPHABET`, of which the last six are the checksum.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from packetcrypt.protocol.errors import DecodeError

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MAX_LENGTH = 90
_CHECKSUM_WORDS = 6
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class Bech32Form(IntEnum):
    """The two forms; the value is the checksum's final constant."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


@dataclass(frozen=True)
class Bech32Text:
    """Decoded text: lower-case human readable part, 5-bit words without the checksum, form."""

    human_readable_part: str
    words: tuple[int, ...]
    form: Bech32Form


def encode_bech32(text: Bech32Text) -> str:
    """The lower-case text; DecodeError if its length or human readable part is not allowed."""
    human = text.human_readable_part
    _check_human_readable_part(human)
    if human != human.lower():
        raise DecodeError(f"bech32 prefix {human!r}: write it in lower case")
    if any(not 0 <= word < 32 for word in text.words):
        raise DecodeError("bech32 words are integers from 0 to 31")
    residue = _polymod([*_expanded(human), *text.words, *[0] * _CHECKSUM_WORDS]) ^ text.form
    checksum = [residue >> 5 * (_CHECKSUM_WORDS - 1 - i) & 31 for i in range(_CHECKSUM_WORDS)]
    encoded = human + "1" + "".join(ALPHABET[word] for word in [*text.words, *checksum])
    if len(encoded) > MAX_LENGTH:
        raise DecodeError(
            f"bech32 text is at most {MAX_LENGTH} characters long, not {len(encoded)}"
        )
    return encoded


def decode_bech32(text: str) -> Bech32Text:
    """Reads text of either form; DecodeError says which rule it breaks."""
    if len(text) > MAX_LENGTH:
        raise DecodeError(f"{len(text)} characters, but bech32 has at most {MAX_LENGTH}")
    if text != text.lower() and text != text.upper():
        raise DecodeError("mixed case: bech32 is either all lower case or all upper case")
    text = text.lower()
    human, separator, data = text.rpartition("1")
    if not separator:
        raise DecodeError('no "1" between the prefix and the data')
    _check_human_readable_part(human)
    if len(data) < _CHECKSUM_WORDS:
        raise DecodeError("too short: fewer than six characters of checksum, some are missing")
    words = []
    for position, character in enumerate(data, start=len(human) + 2):
        word = ALPHABET.find(character)
        if word < 0:
            raise DecodeError(f"{character!r} at character {position} is not used in bech32")
        words.append(word)
    residue = _polymod([*_expanded(human), *words])
    if residue not in Bech32Form.__members__.values():
        raise DecodeError("the checksum does not match: a character is mistyped or missing")
    return Bech32Text(human, tuple(words[:-_CHECKSUM_WORDS]), Bech32Form(residue))


def bytes_to_words(data: bytes) -> tuple[int, ...]:
    """8-bit bytes as 5-bit words, most significant first, the last one padded with zero bits."""
    word_count = -(-len(data) * 8 // 5)
    value = int.from_bytes(data) << word_count * 5 - len(data) * 8
    return tuple(value >> 5 * (word_count - 1 - i) & 31 for i in range(word_count))


def words_to_bytes(words: Sequence[int]) -> bytes:
    """The inverse of `bytes_to_words`; DecodeError unless the padding is under 5 bits, all zero."""
    byte_count, padding = divmod(len(words) * 5, 8)
    value = 0
    for word in words:
        value = value << 5 | word
    if padding > 4:
        raise DecodeError("more than four bits of padding after the last byte")
    if value & (1 << padding) - 1:
        raise DecodeError("the padding after the last byte is not zero")
    return (value >> padding).to_bytes(byte_count)


def _check_human_readable_part(human: str) -> None:
    if not human:
        raise DecodeError('nothing before the "1"')
    if any(not 33 <= ord(character) <= 126 for character in human):
        raise DecodeError(f"prefix {human!r} has a character outside ASCII 33 to 126")


def _expanded(human: str) -> list[int]:
    codes = human.encode("ascii")
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum
