"""How Bitcoin writes integers of variable length (spec 1 §5 "On the wire", spec 2 bt_<h>.bin).

Below 0xfd one byte; else a marker 0xfd, 0xfe or 0xff and 2, 4 or 8 bytes, little-endian. Only the
shortest form is taken, as Bitcoin's nodes do: one block has one encoding.
"""

from packetcrypt.protocol.errors import DecodeError

_MARKED_SIZES = {0xFD: 2, 0xFE: 4, 0xFF: 8}


def encode_varint(number: int) -> bytes:
    """The shortest form of a number of 0 … 2^64−1; `DecodeError` for another."""
    if 0 <= number < 0xFD:
        return bytes([number])
    for marker, size in _MARKED_SIZES.items():
        if 0 <= number < 1 << 8 * size:
            return bytes([marker]) + number.to_bytes(size, "little")
    raise DecodeError(f"{number} is no varint: give a number from 0 to {(1 << 64) - 1}")


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """The number at `offset`, and the offset behind it.

    Raises `DecodeError` if the data ends before the number does, or for a longer form than needed.
    """
    size = _MARKED_SIZES.get(data[offset], 0) if offset < len(data) else 0
    end = offset + 1 + size
    if end > len(data):
        raise DecodeError(
            f"the data ends at byte {len(data)}, within the varint at byte {offset}: give all of it"
        )
    number = int.from_bytes(data[offset + 1 : end], "little") if size else data[offset]
    if data[offset:end] != encode_varint(number):
        raise DecodeError(
            f"the varint at byte {offset} has {1 + size} bytes for {number}: "
            "write the shortest form"
        )
    return number, end


def encode_part(part: bytes) -> bytes:
    """Bytes with their length, a varint, before them."""
    return encode_varint(len(part)) + part


def read_part(data: bytes, offset: int) -> tuple[bytes, int]:
    """The bytes whose length is at `offset`, and the offset behind them."""
    length, start = read_varint(data, offset)
    end = start + length
    if end > len(data):
        raise DecodeError(
            f"the part at byte {offset} says it has {length} bytes, {len(data) - start} are left: "
            "give all of the data"
        )
    return data[start:end], end
