"""What a block handler completes a block with: `GET /bt_<h>.bin` (spec 2 "Master").

Six parts with their length before them: version 1 and the height, varints both, header, coinbase
without witness, the Merkle branch, and the transactions. Each hash of the branch and each
transaction is a part itself.
"""

from dataclasses import dataclass
from typing import Self

from packetcrypt.protocol.block_header import BlockHeader, check_branch
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import I32_MAX
from packetcrypt.protocol.varint import encode_part, encode_varint, read_part, read_varint

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class BlockTemplate:
    """A block but for its proof of work. `DecodeError` for fields that do not fit.

    coinbase_no_witness : with the commitment's placeholder in it
    merkle_branch       : siblings of the coinbase, 32 bytes each, lowest first
    transactions        : of the whole block, as the chain stores them; the first is the coinbase
                          with its witness, again with the placeholder
    """

    height: int
    header: BlockHeader
    coinbase_no_witness: bytes
    merkle_branch: tuple[bytes, ...]
    transactions: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.height <= I32_MAX:
            raise DecodeError(
                f"height {self.height} does not fit a block template: "
                f"give a number from 0 to {I32_MAX}"
            )
        check_branch(self.merkle_branch)

    def encode(self) -> bytes:
        """The file's bytes."""
        return b"".join(
            (
                encode_part(encode_varint(_VERSION)),
                encode_part(encode_varint(self.height)),
                encode_part(self.header.encode()),
                encode_part(self.coinbase_no_witness),
                encode_part(b"".join(map(encode_part, self.merkle_branch))),
                encode_part(b"".join(map(encode_part, self.transactions))),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a whole file; `DecodeError` says what is cut short or left over."""
        version, offset = _read_number(data, 0, "version")
        if version != _VERSION:
            raise DecodeError(
                f"the block template has version {version}, but this program reads version "
                f"{_VERSION} only; look for a newer release of it"
            )
        height, offset = _read_number(data, offset, "height")
        header, offset = read_part(data, offset)
        coinbase, offset = read_part(data, offset)
        branch, offset = read_part(data, offset)
        transactions, offset = read_part(data, offset)
        if offset != len(data):
            raise DecodeError(
                f"the block template goes on for {len(data) - offset} bytes after its "
                "transactions: nothing may follow them"
            )
        return cls(
            height=height,
            header=BlockHeader.decode(header),
            coinbase_no_witness=coinbase,
            merkle_branch=_split_parts(branch),
            transactions=_split_parts(transactions),
        )


def _read_number(data: bytes, offset: int, name: str) -> tuple[int, int]:
    """The number in a part that is a varint, and the offset behind the part."""
    part, end = read_part(data, offset)
    number, used = read_varint(part, 0)
    if used != len(part):
        raise DecodeError(
            f"the block template's {name} goes on for {len(part) - used} bytes after its varint: "
            "nothing may follow it"
        )
    return number, end


def _split_parts(joined: bytes) -> tuple[bytes, ...]:
    parts = []
    offset = 0
    while offset < len(joined):
        part, offset = read_part(joined, offset)
        parts.append(part)
    return tuple(parts)
