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


def test_x25519_rfc7748_scalar_multiplication() -> None:
    """RFC 7748 §5.2, first vector."""
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    u = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    product = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    assert x25519(scalar, u).hex() == product


def test_x25519_rfc7748_public_key() -> None:
    """RFC 7748 §6.1, Bob's."""
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    assert x25519_base(bob).hex() == public
