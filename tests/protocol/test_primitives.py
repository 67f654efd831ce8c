"""Primitives against published answers and expand.json."""

import hashlib

import pytest
from vector_files import load_vectors

from packetcrypt.protocol.primitives import (
    chacha20_keystream,
    expand,
    h32,
    h64,
    poly1305,
    x25519,
    x25519_base,
)


@pytest.mark.parametrize("case", load_vectors("expand"), ids=lambda c: f"{c['num']}/{c['length']}")
def test_expand_known_answers(case: dict[str, object]) -> None:
    keystream = expand(
        bytes.fromhex(str(case["seed"])), int(str(case["num"])), int(str(case["length"]))
    )
    assert keystream[:64].hex() == case["first64"]
    assert h32(keystream).hex() == case["blake2b_256"]


def test_h32_and_h64_are_unkeyed_blake2b_of_their_length() -> None:
    assert h64(b"abc").hex().startswith("ba80a53f981c4d0d6a2797b69f12f6e9")  # RFC 7693 appendix A
    assert h32(b"abc") == hashlib.blake2b(b"abc", digest_size=32).digest()


def test_chacha20_rfc8439_block() -> None:
    """RFC 8439 §2.3.2."""
    keystream = chacha20_keystream(
        bytes(range(32)), bytes.fromhex("000000090000004a00000000"), 1, 64
    )
    assert keystream.hex().startswith("10f1e7e4d13b5915500fdd1fa32071c4")


def test_poly1305_rfc8439_tag() -> None:
    """RFC 8439 §2.5.2."""
    key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
    tag = poly1305(key, b"Cryptographic Forum Research Group")
    assert tag.hex() == "a8061dc1305136c6c22b8baf0c0127a9"


def test_x25519_rfc7748_key_exchange() -> None:
    """RFC 7748 §6.1."""
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f92ebc0992ac177fba51db92c2a")
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert x25519(alice, x25519_base(bob)).hex() == shared
    assert x25519(bob, x25519_base(alice)).hex() == shared
