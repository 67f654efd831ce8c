"""How a block commits to the announcements it was mined with (spec 1 §5 "Commitment")."""

import struct
from dataclasses import dataclass
from typing import Self

from packetcrypt.protocol.errors import DecodeError

COMMITMENT_SIZE = 48
MAGIC = bytes.fromhex("09f91102")
_SCRIPT_START = bytes.fromhex("6a30")
"""OP_RETURN, and a push of 48 bytes"""
PLACEHOLDER = _SCRIPT_START + MAGIC + b"\xfc" * 44
"""What a block template's coinbase has where the commitment will be: 50 bytes with the script."""

_LAYOUT = struct.Struct("<4sI32sQ")


@dataclass(frozen=True)
class BlockCommitment:
    """What a coinbase says about a set of announcements.

    max_target : the largest degraded compact target in the set
    root       : 32 bytes, root hash of the proof tree
    count      : announcements in the set
    """

    max_target: int
    root: bytes
    count: int

    def __post_init__(self) -> None:
        for name, bits in (("max_target", 32), ("count", 64)):
            if not 0 <= getattr(self, name) < 1 << bits:
                raise DecodeError(
                    f"{name} {getattr(self, name)} does not fit a commitment: "
                    f"give a number from 0 to {(1 << bits) - 1}"
                )
        if len(self.root) != 32:
            raise DecodeError(f"a commitment's root has 32 bytes, this one has {len(self.root)}")

    def encode(self) -> bytes:
        """The 48 bytes."""
        return _LAYOUT.pack(MAGIC, self.max_target, self.root, self.count)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads exactly 48 bytes; `DecodeError` for another size or another magic."""
        if len(data) != COMMITMENT_SIZE:
            raise DecodeError(
                f"a coinbase commitment has {COMMITMENT_SIZE} bytes, these are {len(data)}"
            )
        magic, max_target, root, count = _LAYOUT.unpack(data)
        if magic != MAGIC:
            raise DecodeError(f"a coinbase commitment begins {MAGIC.hex()}, not {magic.hex()}")
        return cls(max_target, root, count)


def insert_commitment(coinbase: bytes, commitment: bytes) -> bytes:
    """The coinbase, with or without witness, with a 48-byte commitment in the placeholder's place.

    Raises `DecodeError` unless there is exactly one placeholder.
    """
    if len(commitment) != COMMITMENT_SIZE:
        raise DecodeError(
            f"a coinbase commitment has {COMMITMENT_SIZE} bytes, this one has {len(commitment)}"
        )
    if (found := coinbase.count(PLACEHOLDER)) != 1:
        raise DecodeError(
            f"the coinbase has {found} placeholders for a commitment where it must have one: "
            "take it from a block template of a PacketCrypt node"
        )
    return coinbase.replace(PLACEHOLDER, _SCRIPT_START + commitment)
