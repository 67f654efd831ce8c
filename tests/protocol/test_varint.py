"""Bitcoin's variable-length integers, and parts with their length before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.varint import encode_part, encode_varint, read_part, read_varint

KNOWN = [
    (0, "00"),
    (0xFC, "fc"),
    (0xFD, "fdfd00"),
    (0xFFFF, "fdffff"),
    (0x10000, "fe00000100"),
    (0xFFFFFFFF, "feffffffff"),
    (0x100000000, "ff0000000001000000"),
    ((1 << 64) - 1, "ffffffffffffffffff"),
]


@pytest.mark.parametrize(("number", "encoded"), KNOWN)
def test_known_forms(number: int, encoded: str) -> None:
    assert encode_varint(number).hex() == encoded
    assert read_varint(bytes.fromhex(encoded), 0) == (number, len(encoded) // 2)


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=4), st.binary(max_size=4))
def test_numbers_round_trip_wherever_they_are(number: int, before: bytes, after: bytes) -> None:
    encoded = encode_varint(number)
    end = len(before) + len(encoded)
    assert read_varint(before + encoded + after, len(before)) == (number, end)


@given(st.binary(max_size=300), st.binary(max_size=4))
def test_parts_round_trip(part: bytes, after: bytes) -> None:
    encoded = encode_part(part)
    assert read_part(encoded + after, 0) == (part, len(encoded))


@pytest.mark.parametrize("encoded", ["fdfc00", "fe00000000", "feffff0000", "ffffffffff00000000"])
def test_longer_forms_than_needed_are_refused(encoded: str) -> None:
    with pytest.raises(DecodeError, match=r"at byte 0 .* shortest form"):
        read_varint(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize("encoded", ["", "fd", "fdff", "feffffff", "ffffffffffffffff"])
def test_cut_short(encoded: str) -> None:
    data = b"\x07" + bytes.fromhex(encoded)
    with pytest.raises(DecodeError, match=f"ends at byte {len(data)}, within the varint at byte 1"):
        read_varint(data, 1)


@pytest.mark.parametrize("number", [-1, 1 << 64])
def test_other_numbers_are_refused(number: int) -> None:
    with pytest.raises(DecodeError, match="is no varint"):
        encode_varint(number)


def test_a_part_longer_than_the_data_is_refused() -> None:
    with pytest.raises(DecodeError, match="at byte 1 says it has 3 bytes, 2 are left"):
        read_part(b"\x00\x03ab", 1)
