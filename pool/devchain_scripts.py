"""Which output script pays an address, and whom a script pays (Bitcoin's rules)."""

import base64
from typing import Final

from packetcrypt.protocol.address import (
    PUBLIC_KEY_HASH_SIZE,
    PktAddress,
    PublicKeyHash,
    WitnessProgram,
    format_address,
)
from packetcrypt.protocol.errors import DecodeError

OP_RETURN: Final = 0x6A
_OP_1: Final = 0x51
_TO_HASH_START: Final = bytes([0x76, 0xA9, PUBLIC_KEY_HASH_SIZE])
"""OP_DUP OP_HASH160, and a push of the hash"""
_TO_HASH_END: Final = bytes([0x88, 0xAC])
"""OP_EQUALVERIFY OP_CHECKSIG"""


def script_of(address: PktAddress) -> bytes:
    """The script of an output that pays an address."""
    match address:
        case WitnessProgram(version, program):
            return bytes([version and _OP_1 - 1 + version, len(program)]) + program
        case PublicKeyHash(public_key_hash):
            return _TO_HASH_START + public_key_hash + _TO_HASH_END


def shown_address(script: bytes) -> str:
    """What a node shows as the address of an output: "script:" and base64 if it has none."""
    address = _address_of(script)
    if address is not None:
        try:
            return format_address(address)
        except DecodeError:
            pass  # a version 0 program of another size than 20 or 32 bytes has no address
    return "script:" + base64.b64encode(script).decode()


def _address_of(script: bytes) -> PktAddress | None:
    hash_end = len(_TO_HASH_START) + PUBLIC_KEY_HASH_SIZE
    if script.startswith(_TO_HASH_START) and script[hash_end:] == _TO_HASH_END:
        return PublicKeyHash(script[len(_TO_HASH_START) : hash_end])
    if len(script) < 4 or script[1] != len(script) - 2 or len(script) > 42:
        return None
    if script[0] and not _OP_1 <= script[0] < _OP_1 + 16:
        return None
    return WitnessProgram(script[0] and script[0] - _OP_1 + 1, script[2:])
