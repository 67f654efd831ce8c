"""Proof sections: their layout, round trips, what readers skip and what they refuse."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.block_proof import (
    BlockProof,
    decode_proof_sections,
    encode_proof_sections,
)
from packetcrypt.protocol.errors import DecodeError

FOUR = (b"a" * 1024, b"b" * 1024, b"c" * 1024, b"d" * 1024)
PROOF = BlockProof(0x04030201, FOUR, b"proof")
SIGNATURES = (b"s" * 64, b"t" * 64)

SECTION_1 = b"\x01\xfd\x09\x10" + b"\x01\x02\x03\x04" + b"".join(FOUR) + b"proof"  # 4105 bytes
SECTION_4 = b"\x04\x01\x02"
SECTION_2 = b"\x02\x80" + b"s" * 64 + b"t" * 64
UNKNOWN = b"\x07\x03abc"
END = b"\x00\x00"

PROOFS = st.builds(
    BlockProof,
    st.integers(0, 0xFFFFFFFF),
    st.tuples(*[st.integers(0, 255).map(lambda byte: bytes([byte]) * 1024)] * 4),
    st.binary(max_size=200),
)
SIGNATURE_LISTS = st.lists(st.binary(min_size=64, max_size=64), max_size=4).map(tuple)


def test_layout_of_a_share() -> None:
    assert encode_proof_sections(PROOF) == SECTION_1 + SECTION_4


def test_layout_of_a_block() -> None:
    encoded = encode_proof_sections(PROOF, signatures=SIGNATURES, end=True)
    assert encoded == SECTION_1 + SECTION_4 + SECTION_2 + END


@pytest.mark.parametrize("signatures", [None, ()])
def test_no_signatures_no_section(signatures: tuple[bytes, ...] | None) -> None:
    assert encode_proof_sections(PROOF, signatures=signatures) == SECTION_1 + SECTION_4


@given(PROOFS, SIGNATURE_LISTS, st.binary(max_size=9))
def test_blocks_round_trip(proof: BlockProof, signatures: tuple[bytes, ...], rest: bytes) -> None:
    encoded = encode_proof_sections(proof, signatures=signatures, end=True)
    decoded = decode_proof_sections(encoded + rest, end=True)
    assert decoded == (proof, signatures, len(encoded))


@given(PROOFS, SIGNATURE_LISTS)
def test_shares_round_trip(proof: BlockProof, signatures: tuple[bytes, ...]) -> None:
    encoded = encode_proof_sections(proof, signatures=signatures)
    assert decode_proof_sections(encoded, end=False) == (proof, signatures, len(encoded))


@given(st.permutations([SECTION_4, SECTION_2, UNKNOWN, UNKNOWN, b"\xfd\x00\x01\x00"]))
def test_sections_after_the_first_come_in_any_order(others: list[bytes]) -> None:
    data = SECTION_1 + b"".join(others)
    assert decode_proof_sections(data, end=False) == (PROOF, SIGNATURES, len(data))
    assert decode_proof_sections(data + END, end=True) == (PROOF, SIGNATURES, len(data) + 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends at byte 0"),
        (SECTION_4 + SECTION_1, "begins with section type 1, not 4"),
        (UNKNOWN + SECTION_1 + SECTION_4, "begins with section type 1, not 7"),
        (END, "begins with section type 1, not 0"),
        (SECTION_1, "type 4, the proof version, is missing"),
        (SECTION_1 + b"\x04\x01\x01", "proof version is 01: this program knows version 2"),
        (SECTION_1 + b"\x04\x02\x02\x00", "proof version is 0200"),
        (SECTION_1 + b"\x04\x00", "proof version is empty"),
        (SECTION_1 + SECTION_4 + SECTION_1, "type 1 comes a second time, at byte 4112"),
        (SECTION_1 + SECTION_4 * 2, "type 4 comes a second time, at byte 4112"),
        (SECTION_1 + SECTION_4 + SECTION_2 * 2, "type 2 comes a second time"),
        (SECTION_1 + SECTION_4 + b"\x02\x3f" + bytes(63), "type 2 has 63 bytes"),
        (SECTION_1 + SECTION_4 + b"\x02\xfd\x40\x01" + bytes(320), "type 2 has 320 bytes"),
        (b"\x01\xfd\x03\x10" + bytes(4099) + SECTION_4, "type 1 has 4099 bytes"),
        (SECTION_1[:-1], "says it has 4105 bytes, 4104 are left"),
        (SECTION_1 + SECTION_4 + b"\x07", "within the varint"),
        (SECTION_1 + SECTION_4 + b"\x07\x01", "says it has 1 bytes, 0 are left"),
    ],
)
def test_malformed_sections_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode_proof_sections(data, end=False)


@given(
    st.lists(
        st.sampled_from([SECTION_1, SECTION_4, SECTION_2, UNKNOWN, END, b"\xff", b"\x01"]),
        max_size=6,
    ).map(b"".join)
    | st.binary(max_size=50),
    st.booleans(),
)
def test_any_bytes_are_sections_or_refused(data: bytes, end: bool) -> None:
    with suppress(DecodeError):
        proof, _, offset = decode_proof_sections(data, end=end)
        assert proof == PROOF
        assert 0 < offset <= len(data)


def test_a_share_has_no_end_marker() -> None:
    with pytest.raises(DecodeError, match="end marker at byte 4112: a share goes without one"):
        decode_proof_sections(SECTION_1 + SECTION_4 + END, end=False)


@pytest.mark.parametrize("rest", [b"", b"\x00\x01x", UNKNOWN])
def test_a_block_has_an_empty_end_marker(rest: bytes) -> None:
    with pytest.raises(DecodeError, match=r"the data ends|end marker at byte 4112 has 1 bytes"):
        decode_proof_sections(SECTION_1 + SECTION_4 + rest, end=True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((1 << 32, FOUR, b""), "low nonce 4294967296 does not fit"),
        ((-1, FOUR, b""), "low nonce -1 does not fit"),
        ((0, (*FOUR[:3], b"d" * 1023), b""), "4 announcements of 1024 bytes"),
        ((0, FOUR[:3], b""), "4 announcements of 1024 bytes"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields: Any, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        BlockProof(*fields)


def test_only_whole_signatures_are_written() -> None:
    with pytest.raises(DecodeError, match="signature 1 has 63 bytes"):
        encode_proof_sections(PROOF, signatures=(bytes(64), bytes(63)))
