"""How a block header is laid out, and what its Merkle root commits to (Bitcoin's rules)."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from packetcrypt.protocol.errors import DecodeError

BLOCK_HEADER_SIZE = 80
_HASH_SIZE = 32
_LAYOUT = struct.Struct("<i32s32sIII")


@dataclass(frozen=True, kw_only=True)
class BlockHeader:
    """The 80 bytes that a block begins with. `DecodeError` for fields that do not fit.

    version                    : signed, as nodes print it
    previous_hash, merkle_root : 32 bytes, internal byte order
    time                       : seconds since 1970
    bits                       : compact target of the block
    """

    version: int
    previous_hash: bytes
    merkle_root: bytes
    time: int
    bits: int
    nonce: int

    def __post_init__(self) -> None:
        if not -(1 << 31) <= self.version < 1 << 31:
            raise DecodeError(
                f"version {self.version} does not fit a block header: give a signed 32-bit number"
            )
        for name in ("time", "bits", "nonce"):
            if not 0 <= getattr(self, name) < 1 << 32:
                raise DecodeError(
                    f"{name} {getattr(self, name)} does not fit a block header: "
                    f"give a number from 0 to {(1 << 32) - 1}"
                )
        for name in ("previous_hash", "merkle_root"):
            if len(getattr(self, name)) != _HASH_SIZE:
                raise DecodeError(
                    f"{name} has {len(getattr(self, name))} bytes: "
                    f"a block header holds exactly {_HASH_SIZE}"
                )

    def encode(self) -> bytes:
        """The 80 bytes."""
        return _LAYOUT.pack(
            self.version, self.previous_hash, self.merkle_root, self.time, self.bits, self.nonce
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads exactly 80 bytes; `DecodeError` for another size."""
        if len(data) != BLOCK_HEADER_SIZE:
            raise DecodeError(
                f"a block header has {BLOCK_HEADER_SIZE} bytes, these are {len(data)}"
            )
        version, previous_hash, root, time, bits, nonce = _LAYOUT.unpack(data)
        return cls(
            version=version,
            previous_hash=previous_hash,
            merkle_root=root,
            time=time,
            bits=bits,
            nonce=nonce,
        )

    @property
    def block_hash(self) -> bytes:
        """The hash that the next block names: 32 bytes, internal byte order."""
        return _double_sha256(self.encode())


def merkle_root(coinbase_no_witness: bytes, branch: Sequence[bytes]) -> bytes:
    """The Merkle root of a block whose first transaction is this coinbase.

    branch : the coinbase's siblings, 32 bytes each, lowest first; the coinbase is always left
    """
    node = _double_sha256(coinbase_no_witness)
    for sibling in branch:
        node = _double_sha256(node + sibling)
    return node


def split_branch(joined: bytes) -> tuple[bytes, ...]:
    """The hashes of a Merkle branch that came as one; `DecodeError` unless they are whole."""
    if len(joined) % _HASH_SIZE:
        raise DecodeError(
            f"the Merkle branch has {len(joined)} bytes: it must be whole hashes of {_HASH_SIZE}"
        )
    return tuple(joined[i : i + _HASH_SIZE] for i in range(0, len(joined), _HASH_SIZE))


def check_branch(branch: Sequence[bytes]) -> None:
    """Raises `DecodeError` if a hash of a Merkle branch has not 32 bytes."""
    for number, sibling in enumerate(branch):
        if len(sibling) != _HASH_SIZE:
            raise DecodeError(
                f"hash {number} of the Merkle branch has {len(sibling)} bytes: "
                f"it must have {_HASH_SIZE}"
            )


def _double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
