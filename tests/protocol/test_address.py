"""Addresses against the vectors of BIP 173, BIP 350 and Bitcoin Core, and PKT's own rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol.address import (
    PublicKeyHash,
    WitnessProgram,
    check_payto,
    decode_witness_program,
    encode_witness_program,
    format_address,
    parse_address,
)
from packetcrypt.protocol.base58 import (
    decode_base58,
    decode_base58check,
    encode_base58,
    encode_base58check,
)
from packetcrypt.protocol.bech32 import (
    Bech32Form,
    Bech32Text,
    bytes_to_words,
    decode_bech32,
    encode_bech32,
    words_to_bytes,
)
from packetcrypt.protocol.errors import DecodeError

VECTORS = load_vectors("address")
KEY_HASH = bytes(range(20))
PKT_KEY_HASH = format_address(PublicKeyHash(KEY_HASH))
PKT_WITNESS = format_address(WitnessProgram(0, KEY_HASH))


@pytest.mark.parametrize("text", VECTORS["bech32_valid"])
def test_valid_bech32(text: str) -> None:
    decoded = decode_bech32(text)
    assert decoded.form is Bech32Form.BECH32
    assert encode_bech32(decoded) == text.lower()


@pytest.mark.parametrize("text", VECTORS["bech32m_valid"])
def test_valid_bech32m(text: str) -> None:
    decoded = decode_bech32(text)
    assert decoded.form is Bech32Form.BECH32M
    assert encode_bech32(decoded) == text.lower()


@pytest.mark.parametrize("text", VECTORS["bech32_invalid"] + VECTORS["bech32m_invalid"])
def test_invalid_bech32(text: str) -> None:
    with pytest.raises(DecodeError):
        decode_bech32(text)


@pytest.mark.parametrize(("text", "script"), VECTORS["segwit_valid"])
def test_valid_segwit_address(text: str, script: str) -> None:
    prefix = text[:2].lower()
    address = decode_witness_program(text, prefix)
    version_opcode = address.version + 0x50 if address.version else 0
    assert bytes([version_opcode, len(address.program)]) + address.program == bytes.fromhex(script)
    assert encode_witness_program(address, prefix) == text.lower()


@pytest.mark.parametrize(("text", "reason"), VECTORS["segwit_invalid"])
def test_invalid_segwit_address(text: str, reason: str) -> None:
    prefix = "tb" if text.startswith("tb") else "bc"
    with pytest.raises(DecodeError, match=reason):
        decode_witness_program(text, prefix)


@pytest.mark.parametrize(("data", "text"), VECTORS["base58"])
def test_base58(data: str, text: str) -> None:
    assert encode_base58(bytes.fromhex(data)) == text
    assert decode_base58(text) == bytes.fromhex(data)


@given(st.text(st.sampled_from("abcxyz1?"), min_size=1, max_size=20), st.binary(max_size=30))
def test_bech32_round_trip(prefix: str, data: bytes) -> None:
    text = Bech32Text(prefix, bytes_to_words(data), Bech32Form.BECH32M)
    decoded = decode_bech32(encode_bech32(text))
    assert decoded == text
    assert words_to_bytes(decoded.words) == data


@given(st.binary(min_size=1, max_size=60))
def test_base58check_round_trip(payload: bytes) -> None:
    assert decode_base58check(encode_base58check(payload)) == payload


@given(
    st.integers(1, 16).flatmap(
        lambda version: st.binary(min_size=2, max_size=40).map(
            lambda program: WitnessProgram(version, program)
        )
    )
    | st.binary(min_size=20, max_size=20).map(PublicKeyHash)
    | st.binary(min_size=32, max_size=32).map(lambda program: WitnessProgram(0, program))
)
def test_pkt_address_round_trip(address: WitnessProgram | PublicKeyHash) -> None:
    assert parse_address(format_address(address)) == address


def test_pkt_addresses_begin_as_users_know_them() -> None:
    assert PKT_WITNESS.startswith("pkt1q")
    assert PKT_KEY_HASH.startswith("p")


def test_a_pkt_address_may_be_in_upper_case() -> None:
    assert parse_address(PKT_WITNESS.upper()) == WitnessProgram(0, KEY_HASH)


@given(st.integers(4, len(PKT_WITNESS) - 1), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_mistyped_character_is_refused(position: int, character: str) -> None:
    if PKT_WITNESS[position] == character:
        return
    with pytest.raises(DecodeError, match="checksum does not match"):
        parse_address(PKT_WITNESS[:position] + character + PKT_WITNESS[position + 1 :])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too short"),
        (PKT_WITNESS[:-1], "checksum does not match"),
        (PKT_WITNESS[:-1].replace("pkt1", "pkt1b"), "'b' at character 5 is not used in bech32"),
        (PKT_WITNESS[:-1] + PKT_WITNESS[-1].upper(), "mixed case|checksum does not match"),
        ("Pkt1" + PKT_WITNESS[4:], "mixed case"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", r"another network \(its prefix is 'bc'\)"),
        (encode_base58check(b"\0" + KEY_HASH), "another network or kind .*0x00"),
        (PKT_KEY_HASH[:-1], "checksum does not match"),
        (PKT_KEY_HASH[:-1] + "0", "'0' at character 34 is not used in base58"),
        (encode_base58check(b"\x75" + KEY_HASH[1:]), "holds 19 bytes"),
        ("p" * 600, "at most 512"),
        ("pkt1" + "q" * 600, "at most 90"),
    ],
)
def test_what_is_no_pkt_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as refused:
        parse_address(text)
    assert str(refused.value).startswith(f"{text!r} is not a PKT address: ")
    assert "Give an address of your own PKT wallet" in str(refused.value)


def test_a_wrongly_sized_key_hash_cannot_be_formatted() -> None:
    with pytest.raises(DecodeError, match="has 20 bytes, not 19"):
        format_address(PublicKeyHash(bytes(19)))


@pytest.mark.parametrize("text", ["a", "Z9", "p" * 63, PKT_WITNESS, PKT_KEY_HASH])
def test_payto_that_handlers_take(text: str) -> None:
    assert check_payto(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid payto "),
        ("pkt1q/..", "invalid payto pkt1q/.."),
        ("pkt1q\n", "invalid payto pkt1q\n"),
        ("pké", "invalid payto pké"),
        ("p" * 64, "payto too long"),
    ],
)
def test_payto_that_handlers_refuse(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as refused:
        check_payto(text)
    assert str(refused.value) == message
