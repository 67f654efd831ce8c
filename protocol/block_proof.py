"""How a block's proof of work is written behind its header (spec 1 §5 "On the wire").

Sections of a type, a length (both varints) and that many bytes. First comes type 1: low nonce, four
announcements, proof. Then, in any order: the proof version, signatures, and types that a reader
does not know and skips. In a block an end marker follows; in a share the data just ends.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.announcement_signature import SIGNATURE_SIZE
from packetcrypt.protocol.block_hash import ITEMS_PER_HASH
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.varint import encode_part, encode_varint, read_part, read_varint

PROOF_VERSION = 2

_END, _PROOF, _SIGNATURES, _VERSION = 0, 1, 2, 4
_LOW_NONCE = struct.Struct("<I")
_ANNOUNCEMENTS_END = _LOW_NONCE.size + ITEMS_PER_HASH * ANNOUNCEMENT_SIZE


@dataclass(frozen=True)
class BlockProof:
    """What shows that a header was mined with announcements that its coinbase commits to.

    announcements : 1024 bytes each, in the order in which the hash absorbs them
    proof         : that they are in the set (`proof_tree`)
    """

    low_nonce: int
    announcements: tuple[bytes, bytes, bytes, bytes]
    proof: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.low_nonce < 1 << 32:
            raise DecodeError(
                f"low nonce {self.low_nonce} does not fit a block proof: "
                f"give a number from 0 to {(1 << 32) - 1}"
            )
        sizes = [len(announcement) for announcement in self.announcements]
        if sizes != [ANNOUNCEMENT_SIZE] * ITEMS_PER_HASH:
            raise DecodeError(
                f"a block proof has {ITEMS_PER_HASH} announcements of {ANNOUNCEMENT_SIZE} bytes, "
                f"not of {sizes}"
            )


def encode_proof_sections(
    proof: BlockProof, *, signatures: Sequence[bytes] | None = None, end: bool = False
) -> bytes:
    """The sections as existing programs order them: proof, version, signatures, end marker.

    signatures : 64 bytes for each signed announcement, in order; the section is left out if there
                 are none
    end        : whether to write the end marker, as in a block
    """
    sections = [
        _section(
            _PROOF, _LOW_NONCE.pack(proof.low_nonce) + b"".join(proof.announcements) + proof.proof
        ),
        _section(_VERSION, bytes([PROOF_VERSION])),
    ]
    if signatures:
        for number, signature in enumerate(signatures):
            if len(signature) != SIGNATURE_SIZE:
                raise DecodeError(
                    f"signature {number} has {len(signature)} bytes: it must have {SIGNATURE_SIZE}"
                )
        sections.append(_section(_SIGNATURES, b"".join(signatures)))
    if end:
        sections.append(_section(_END, b""))
    return b"".join(sections)


def decode_proof_sections(data: bytes, *, end: bool) -> tuple[BlockProof, tuple[bytes, ...], int]:
    """The proof, the signatures that stand with it, and the offset behind the sections.

    data : what follows the header
    end  : whether an end marker ends the sections (in a block; transactions follow), or the data
           does (in a share)

    Raises `DecodeError` for sections of another size than specified, another one before type 1, one
    that comes twice, and another proof version than 2.
    """
    kind, offset = read_varint(data, 0)
    if kind != _PROOF:
        raise DecodeError(f"a block proof begins with section type {_PROOF}, not {kind}")
    sections: dict[int, bytes] = {}
    offset = 0
    while end or offset < len(data):
        start = offset
        kind, offset = read_varint(data, offset)
        content, offset = read_part(data, offset)
        if kind == _END:
            _check_end(content, start, end)
            break
        if kind in sections and kind in (_PROOF, _SIGNATURES, _VERSION):
            raise DecodeError(f"section type {kind} comes a second time, at byte {start}")
        sections[kind] = content
    _check_version(sections.get(_VERSION))
    return _proof(sections[_PROOF]), _split_signatures(sections.get(_SIGNATURES, b"")), offset


def _check_end(content: bytes, offset: int, expected: bool) -> None:
    if not expected:
        raise DecodeError(f"an end marker at byte {offset}: a share goes without one")
    if content:
        raise DecodeError(f"the end marker at byte {offset} has {len(content)} bytes: it has none")


def _check_version(content: bytes | None) -> None:
    if content is None:
        raise DecodeError(f"section type {_VERSION}, the proof version, is missing")
    if content != bytes([PROOF_VERSION]):
        raise DecodeError(
            f"the proof version is {content[:8].hex() or 'empty'}: "
            f"this program knows version {PROOF_VERSION}, one byte"
        )


def _proof(content: bytes) -> BlockProof:
    if len(content) < _ANNOUNCEMENTS_END:
        raise DecodeError(
            f"section type {_PROOF} has {len(content)} bytes: the low nonce and the announcements "
            f"alone have {_ANNOUNCEMENTS_END}"
        )
    (low_nonce,) = _LOW_NONCE.unpack_from(content)
    first, second, third, fourth = (
        content[at : at + ANNOUNCEMENT_SIZE]
        for at in range(_LOW_NONCE.size, _ANNOUNCEMENTS_END, ANNOUNCEMENT_SIZE)
    )
    return BlockProof(low_nonce, (first, second, third, fourth), content[_ANNOUNCEMENTS_END:])


def _split_signatures(content: bytes) -> tuple[bytes, ...]:
    if len(content) % SIGNATURE_SIZE or len(content) > ITEMS_PER_HASH * SIGNATURE_SIZE:
        raise DecodeError(
            f"section type {_SIGNATURES} has {len(content)} bytes: it must be at most "
            f"{ITEMS_PER_HASH} signatures of {SIGNATURE_SIZE}"
        )
    return tuple(content[at : at + SIGNATURE_SIZE] for at in range(0, len(content), SIGNATURE_SIZE))


def _section(kind: int, content: bytes) -> bytes:
    return encode_varint(kind) + encode_part(content)
