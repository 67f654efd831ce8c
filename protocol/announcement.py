"""How an announcement is laid out (spec 1 §4).

0        version (1)                    56..87     signing key (zeros: unsigned)
1..3     soft nonce, u24                88..919    13 Merkle siblings × 64 B (encrypted)
4        hard nonce                     920..983   Merkle root
8        work bits (compact target)     984..1023  item prefix (zeros before encryption)
12       parent block height
16, 20   content type, content length   all u32 little-endian unless said otherwise
24..55   content hash
"""

import struct
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.primitives import h32

VERSION = 1
ANNOUNCEMENT_SIZE = 1024
HEADER_SIZE = 88
HASH_SIZE = 32
TABLE_SIZE = 8192
"""items of a job's table"""
MERKLE_DEPTH = 13
SIBLINGS_OFFSET = 88
ROOT_OFFSET = 920
PREFIX_OFFSET = 984
PREFIX_SIZE = 40
ENCRYPTED_SIZE = 872
"""bytes of the final state that an announcement is encrypted with: siblings, then prefix"""

UNUSABLE_KEYS = (0, (1 << 64) - 1)
"""dedup keys that no handler takes: the proof tree uses them as its ends (spec 1 §4, §5)"""

ANNOUNCEMENT_DTYPE = np.dtype(
    [
        ("version", "u1"),
        ("soft_nonce", "u1", (3,)),
        ("hard_nonce", "<u4"),
        ("work_bits", "<u4"),
        ("parent_height", "<u4"),
        ("content_type", "<u4"),
        ("content_length", "<u4"),
        ("content_hash", "u1", (32,)),
        ("signing_key", "u1", (32,)),
        ("siblings", "u1", (MERKLE_DEPTH, 64)),
        ("root", "u1", (64,)),
        ("prefix", "u1", (PREFIX_SIZE,)),
    ]
)
"""One announcement as a NumPy record of 1024 bytes; soft_nonce is a little-endian u24."""

_HEADER = struct.Struct("<B3sIIIII32s32s")


@dataclass(frozen=True, kw_only=True)
class AnnouncementHeader:
    """The first 88 bytes of an announcement. Refuses fields that do not fit with `DecodeError`."""

    hard_nonce: int
    work_bits: int
    parent_height: int
    soft_nonce: int = 0
    content_type: int = 0
    content_length: int = 0
    content_hash: bytes = bytes(32)
    signing_key: bytes = bytes(32)
    version: int = VERSION

    def __post_init__(self) -> None:
        for name, bits in (
            ("version", 8),
            ("soft_nonce", 24),
            ("hard_nonce", 32),
            ("work_bits", 32),
            ("parent_height", 32),
            ("content_type", 32),
            ("content_length", 32),
        ):
            if not 0 <= getattr(self, name) < 1 << bits:
                raise DecodeError(
                    f"{name} {getattr(self, name)} does not fit an announcement header: "
                    f"give a number from 0 to {(1 << bits) - 1}"
                )
        for name in ("content_hash", "signing_key"):
            if len(getattr(self, name)) != 32:
                raise DecodeError(
                    f"{name} has {len(getattr(self, name))} bytes: "
                    "an announcement header holds exactly 32"
                )

    def encode(self) -> bytes:
        """The 88 bytes."""
        return _HEADER.pack(
            self.version,
            self.soft_nonce.to_bytes(3, "little"),
            self.hard_nonce,
            self.work_bits,
            self.parent_height,
            self.content_type,
            self.content_length,
            self.content_hash,
            self.signing_key,
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The header of an announcement, or of its first 88 bytes."""
        if len(data) < HEADER_SIZE:
            raise DecodeError(
                f"an announcement header has {HEADER_SIZE} bytes, these are {len(data)}: "
                "give the whole header"
            )
        version, soft_nonce, hard, bits, height, kind, length, content, key = _HEADER.unpack_from(
            data
        )
        return cls(
            version=version,
            soft_nonce=int.from_bytes(soft_nonce, "little"),
            hard_nonce=hard,
            work_bits=bits,
            parent_height=height,
            content_type=kind,
            content_length=length,
            content_hash=content,
            signing_key=key,
        )

    def with_soft_nonce(self, soft_nonce: int) -> Self:
        """The same header with another soft nonce."""
        return replace(self, soft_nonce=soft_nonce)


def announcement_hash(announcement: bytes) -> bytes:
    """H32 of all 1024 bytes: what blocks commit to."""
    return h32(announcement)


def dedup_key(announcement: bytes) -> int:
    """First u64 of the announcement hash: announcements are sorted and de-duplicated by it."""
    return int.from_bytes(announcement_hash(announcement)[:8], "little")
