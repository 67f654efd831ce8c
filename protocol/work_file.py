"""What a block miner is told to mine: `GET /work_<h>.bin` (spec 2 "Master")."""

import struct
from dataclasses import dataclass
from typing import Self

from packetcrypt.protocol.block_header import (
    BLOCK_HEADER_SIZE,
    BlockHeader,
    check_branch,
    split_branch,
)
from packetcrypt.protocol.errors import DecodeError

_KEY_SIZE = 32
_NUMBERS_OFFSET = BLOCK_HEADER_SIZE + _KEY_SIZE
_NUMBERS = struct.Struct("<IIiI")
_COINBASE_OFFSET = _NUMBERS_OFFSET + _NUMBERS.size


@dataclass(frozen=True, kw_only=True)
class BlockWork:
    """One height's work. `DecodeError` for fields that do not fit a work file.

    header              : Merkle root and nonce are the miner's to fill in
    signing_key         : key that announcements mined on this block carry; 32 zeros for none
    share_target        : compact target of a share
    ann_target          : easiest work bits of announcements that the pool takes, compact
    height              : of the block to be mined
    coinbase_no_witness : with the commitment's placeholder in it
    merkle_branch       : siblings of the coinbase, 32 bytes each, lowest first
    """

    header: BlockHeader
    signing_key: bytes
    share_target: int
    ann_target: int
    height: int
    coinbase_no_witness: bytes
    merkle_branch: tuple[bytes, ...]

    def __post_init__(self) -> None:
        for name, bits in (("share_target", 32), ("ann_target", 32), ("height", 31)):
            if not 0 <= getattr(self, name) < 1 << bits:
                raise DecodeError(
                    f"{name} {getattr(self, name)} does not fit a work file: "
                    f"give a number from 0 to {(1 << bits) - 1}"
                )
        if len(self.signing_key) != _KEY_SIZE:
            raise DecodeError(
                f"the signing key has {len(self.signing_key)} bytes: it must have {_KEY_SIZE}"
            )
        check_branch(self.merkle_branch)

    def encode(self) -> bytes:
        """The file's bytes."""
        numbers = _NUMBERS.pack(
            self.share_target, self.ann_target, self.height, len(self.coinbase_no_witness)
        )
        return b"".join(
            (
                self.header.encode(),
                self.signing_key,
                numbers,
                self.coinbase_no_witness,
                *self.merkle_branch,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a whole file; `DecodeError` says what is cut short or left over."""
        if len(data) < _COINBASE_OFFSET:
            raise DecodeError(
                f"a work file has at least {_COINBASE_OFFSET} bytes, this one has {len(data)}: "
                "it is cut short, or is no work file"
            )
        share_target, ann_target, height, length = _NUMBERS.unpack_from(data, _NUMBERS_OFFSET)
        branch_offset = _COINBASE_OFFSET + length
        if branch_offset > len(data):
            raise DecodeError(
                f"the work file says its coinbase has {length} bytes, "
                f"{len(data) - _COINBASE_OFFSET} are left: it is cut short, or is no work file"
            )
        return cls(
            header=BlockHeader.decode(data[:BLOCK_HEADER_SIZE]),
            signing_key=data[BLOCK_HEADER_SIZE:_NUMBERS_OFFSET],
            share_target=share_target,
            ann_target=ann_target,
            height=height,
            coinbase_no_witness=data[_COINBASE_OFFSET:branch_offset],
            merkle_branch=split_branch(data[branch_offset:]),
        )
