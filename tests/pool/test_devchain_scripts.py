"""Scripts of every kind of address, against the vectors of BIP 173, BIP 350 and Bitcoin's own."""

import pytest
from vector_files import load_vectors

from packetcrypt.pool.devchain_scripts import script_of, shown_address
from packetcrypt.protocol.address import (
    PublicKeyHash,
    WitnessProgram,
    decode_witness_program,
    format_address,
    parse_address,
)
from packetcrypt.protocol.base58 import decode_base58check

SEGWIT = load_vectors("address")["segwit_valid"]
"""addresses of Bitcoin with their scripts: PKT's differ only in how they are written"""


def _program_of(bitcoin_address: str) -> WitnessProgram:
    prefix = bitcoin_address.lower().split("1", 1)[0]
    return decode_witness_program(bitcoin_address, prefix)


@pytest.mark.parametrize(("address", "script"), SEGWIT)
def test_a_witness_program(address: str, script: str) -> None:
    program = _program_of(address)
    assert script_of(program).hex() == script
    assert parse_address(shown_address(bytes.fromhex(script))) == program


def test_a_public_key_hash() -> None:
    # An address of 2011, and the script of its outputs in Bitcoin's chain.
    _, *key_hash = decode_base58check("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
    address = PublicKeyHash(bytes(key_hash))
    script = bytes.fromhex("76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac")
    assert script_of(address) == script
    assert shown_address(script) == format_address(address)


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        pytest.param("", "script:", id="empty"),
        # How a commitment begins, in a block of a pktd and in what its getblock said.
        pytest.param("6a3009f91102e0ff1f20", "script:ajAJ+REC4P8fIA==", id="a commitment"),
        pytest.param("0003010203", "script:AAMBAgM=", id="version 0 of three bytes"),
        pytest.param("5101ff", "script:UQH/", id="a program of one byte"),
        pytest.param("6104010203ff", "script:YQQBAgP/", id="no version"),
        pytest.param("51020102ff", "script:UQIBAv8=", id="something follows"),
        pytest.param("76a914" + "00" * 19 + "88ac", "script:dqkU" + "A" * 25 + "Iis", id="short"),
    ],
)
def test_other_scripts_have_no_address(script: str, shown: str) -> None:
    assert shown_address(bytes.fromhex(script)) == shown
