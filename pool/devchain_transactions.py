"""How a transaction is written, and its id (Bitcoin's rules; BIP 144 with a witness)."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.varint import encode_part, encode_varint, read_part, read_varint

T = TypeVar("T")

_WITNESS_MARK: Final = b"\x00\x01"
_U32: Final = struct.Struct("<I")
_VALUE: Final = struct.Struct("<q")
_OUTPOINT_SIZE: Final = 36

NO_OUTPOINT: Final = bytes(32) + b"\xff" * 4
"""what a coinbase spends"""


@dataclass(frozen=True)
class Input:
    """What a transaction spends.

    outpoint : 36 bytes: id of a transaction, and u32 number of its output
    witness  : the stack; empty if there is none
    """

    outpoint: bytes
    script: bytes
    sequence: int = 0xFFFFFFFF
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Output:
    """What a transaction pays: atomic units, to whom the script says."""

    value: int
    script: bytes


@dataclass(frozen=True)
class Transaction:
    """A transaction."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    version: int = 1
    lock_time: int = 0

    def encode(self) -> bytes:
        """As blocks hold it: with the witness, if it has one."""
        return self._encode(has_witness=any(one.witness for one in self.inputs))

    def encode_no_witness(self) -> bytes:
        """Without any witness: what the id is the hash of."""
        return self._encode(has_witness=False)

    @property
    def id(self) -> bytes:
        """32 bytes, internal byte order."""
        return double_sha256(self.encode_no_witness())

    def _encode(self, *, has_witness: bool) -> bytes:
        pieces = [_U32.pack(self.version)]
        if has_witness:
            pieces.append(_WITNESS_MARK)
        pieces.append(encode_varint(len(self.inputs)))
        for spent in self.inputs:
            pieces += [spent.outpoint, encode_part(spent.script), _U32.pack(spent.sequence)]
        pieces.append(encode_varint(len(self.outputs)))
        for paid in self.outputs:
            pieces += [_VALUE.pack(paid.value), encode_part(paid.script)]
        if has_witness:
            for spent in self.inputs:
                pieces += [encode_varint(len(spent.witness)), *map(encode_part, spent.witness)]
        pieces.append(_U32.pack(self.lock_time))
        return b"".join(pieces)


def read_transaction(data: bytes, offset: int) -> tuple[Transaction, int]:
    """The transaction at `offset`, and the offset behind it; `DecodeError` if it is none."""
    (version,), offset = _unpack(_U32, data, offset)
    has_witness = data.startswith(_WITNESS_MARK, offset)
    offset += len(_WITNESS_MARK) * has_witness
    inputs, offset = _read_several(_read_input, data, offset)
    outputs, offset = _read_several(_read_output, data, offset)
    if has_witness:
        spending = []
        for spent in inputs:
            witness, offset = _read_several(read_part, data, offset)
            spending.append(Input(spent.outpoint, spent.script, spent.sequence, witness))
        inputs = tuple(spending)
    (lock_time,), offset = _unpack(_U32, data, offset)
    return Transaction(inputs, outputs, version, lock_time), offset


def double_sha256(data: bytes) -> bytes:
    """The hash that ids and Merkle trees are made of, 32 bytes."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def _read_input(data: bytes, offset: int) -> tuple[Input, int]:
    outpoint = data[offset : offset + _OUTPOINT_SIZE]
    script, offset = read_part(data, offset + _OUTPOINT_SIZE)
    (sequence,), offset = _unpack(_U32, data, offset)
    return Input(outpoint, script, sequence), offset


def _read_output(data: bytes, offset: int) -> tuple[Output, int]:
    (value,), offset = _unpack(_VALUE, data, offset)
    script, offset = read_part(data, offset)
    return Output(value, script), offset


def _read_several(
    read: Callable[[bytes, int], tuple[T, int]], data: bytes, offset: int
) -> tuple[tuple[T, ...], int]:
    count, offset = read_varint(data, offset)
    several = []
    for _ in range(count):
        one, offset = read(data, offset)
        several.append(one)
    return tuple(several), offset


def _unpack(layout: struct.Struct, data: bytes, offset: int) -> tuple[tuple[int, ...], int]:
    end = offset + layout.size
    if end > len(data):
        raise DecodeError(
            f"the data ends at byte {len(data)}, within the transaction at byte {offset}: "
            "give all of it"
        )
    return layout.unpack_from(data, offset), end
