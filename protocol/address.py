"""What a PKT address is, and why a given text is none (spec 2 "Paymaker": addresses).

A PKT address is either a witness program, `pkt1…` in bech32 (version 0) or bech32m (versions 1 to
16), or a public key hash in base58check with version byte 0x75, `p…`.
"""

import re
from dataclasses import dataclass

from packetcrypt.protocol.base58 import decode_base58check, encode_base58check
from packetcrypt.protocol.bech32 import (
    Bech32Form,
    Bech32Text,
    bytes_to_words,
    decode_bech32,
    encode_bech32,
    words_to_bytes,
)
from packetcrypt.protocol.errors import DecodeError

PKT_PREFIX = "pkt"
PUBLIC_KEY_HASH_VERSION = 0x75
PUBLIC_KEY_HASH_SIZE = 20
PAYTO_MAX_LENGTH = 63
_PAYTO = re.compile(r"[a-zA-Z0-9]+", re.ASCII)


@dataclass(frozen=True)
class WitnessProgram:
    """A segregated witness output: a version (0 to 16) and a program of 2 to 40 bytes (BIP 141)."""

    version: int
    program: bytes


@dataclass(frozen=True)
class PublicKeyHash:
    """A pay-to-public-key-hash output: RIPEMD160(SHA256(public key)), 20 bytes."""

    public_key_hash: bytes


PktAddress = WitnessProgram | PublicKeyHash


def parse_address(text: str) -> PktAddress:
    """Reads a PKT address; DecodeError quotes it and says what is wrong with it."""
    try:
        if text.lower().startswith(PKT_PREFIX + "1"):
            return decode_witness_program(text, PKT_PREFIX)
        if _is_another_networks_bech32(text):
            prefix = decode_bech32(text).human_readable_part
            raise DecodeError(f"it is an address of another network (its prefix is {prefix!r})")
        return _decode_public_key_hash(text)
    except DecodeError as error:
        raise DecodeError(
            f"{text!r} is not a PKT address: {error}. "
            'Give an address of your own PKT wallet; it begins with "pkt1" or "p".'
        ) from error


def format_address(address: PktAddress) -> str:
    """The text of an address; the inverse of `parse_address`."""
    match address:
        case WitnessProgram():
            return encode_witness_program(address, PKT_PREFIX)
        case PublicKeyHash(public_key_hash):
            if len(public_key_hash) != PUBLIC_KEY_HASH_SIZE:
                size = len(public_key_hash)
                raise DecodeError(f"a public key hash has {PUBLIC_KEY_HASH_SIZE} bytes, not {size}")
            return encode_base58check(bytes([PUBLIC_KEY_HASH_VERSION]) + public_key_hash)


def check_payto(text: str) -> str:
    """The `x-pc-payto` header as handlers accept it, unchanged.

    Only its form is checked here, [a-zA-Z0-9]+ and at most 63 characters, with the messages that
    the existing network's handlers answer (spec 2 "Checks"): it becomes part of logs and of the
    ledger's keys.
    """
    if len(text) > PAYTO_MAX_LENGTH:
        raise DecodeError("payto too long")
    if not _PAYTO.fullmatch(text):
        raise DecodeError(f"invalid payto {text}")
    return text


def decode_witness_program(text: str, prefix: str) -> WitnessProgram:
    """Reads a segregated witness address of the network with this prefix (BIP 173, BIP 350)."""
    decoded = decode_bech32(text)
    if decoded.human_readable_part != prefix:
        raise DecodeError(f"its prefix is {decoded.human_readable_part!r} and not {prefix!r}")
    if not decoded.words:
        raise DecodeError(f'nothing follows "{prefix}1"')
    version, *words = decoded.words
    address = WitnessProgram(version, words_to_bytes(words))
    _check_witness_program(address)
    if decoded.form != _form_of_version(version):
        raise DecodeError(
            f"witness version {version} is written in {_form_of_version(version).name.lower()}, "
            f"this is {decoded.form.name.lower()}"
        )
    return address


def encode_witness_program(address: WitnessProgram, prefix: str) -> str:
    """The inverse of `decode_witness_program`."""
    _check_witness_program(address)
    words = (address.version, *bytes_to_words(address.program))
    return encode_bech32(Bech32Text(prefix, words, _form_of_version(address.version)))


def _check_witness_program(address: WitnessProgram) -> None:
    size = len(address.program)
    if not 0 <= address.version <= 16:
        raise DecodeError(f"witness version {address.version}, but only 0 to 16 exist")
    if not 2 <= size <= 40:
        raise DecodeError(f"its program has {size} bytes, but it must have 2 to 40")
    if address.version == 0 and size not in (20, 32):
        raise DecodeError(f"its version 0 program has {size} bytes, but it must have 20 or 32")


def _form_of_version(version: int) -> Bech32Form:
    return Bech32Form.BECH32 if version == 0 else Bech32Form.BECH32M


def _is_another_networks_bech32(text: str) -> bool:
    # A wrong network is worth its own message, but only where the text is certain to be bech32:
    # base58 text may contain a "1" as well.
    try:
        decode_bech32(text)
    except DecodeError:
        return False
    return True


def _decode_public_key_hash(text: str) -> PublicKeyHash:
    payload = decode_base58check(text)
    version, public_key_hash = payload[0], payload[1:]
    if version != PUBLIC_KEY_HASH_VERSION:
        raise DecodeError(
            f"it is an address of another network or kind (its version byte is {version:#04x}, "
            f"and PKT's is {PUBLIC_KEY_HASH_VERSION:#04x})"
        )
    if len(public_key_hash) != PUBLIC_KEY_HASH_SIZE:
        raise DecodeError(
            f"it holds {len(public_key_hash)} bytes, "
            f"but a public key hash has {PUBLIC_KEY_HASH_SIZE}"
        )
    return PublicKeyHash(public_key_hash)
