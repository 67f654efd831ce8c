"""Which key a pool's announcements carry."""

import hashlib

from packetcrypt.protocol.signing_seed import signing_seed


def test_the_seed_is_a_sha256_of_secret_and_height() -> None:
    expected = hashlib.sha256(b"secret\x41\x42\x0f\x00").digest()

    assert signing_seed("secret", 1000001) == expected


def test_heights_have_different_seeds() -> None:
    assert signing_seed("secret", 1) != signing_seed("secret", 2)
