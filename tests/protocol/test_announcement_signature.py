"""Signatures over announcements; RFC 8032 says what the primitive answers."""

import pytest

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_signature import (
    is_signed,
    public_key,
    sign_announcement,
    signature_is_valid,
    signing_key_of,
)

# RFC 8032 §7.1, TEST 1
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def _announcement(signing_key: bytes) -> bytes:
    header = AnnouncementHeader(
        hard_nonce=1, work_bits=0x207FFFFF, parent_height=2, signing_key=signing_key
    )
    return header.encode() + bytes(range(256)) * 4


SIGNED = _announcement(PUBLIC_KEY)[:1024]


def test_a_known_key() -> None:
    assert public_key(SEED) == PUBLIC_KEY


def test_where_the_key_is() -> None:
    assert signing_key_of(SIGNED) == PUBLIC_KEY
    assert is_signed(SIGNED)
    assert not is_signed(_announcement(bytes(32)))


def test_a_signature_is_valid() -> None:
    signature = sign_announcement(SIGNED, SEED)
    assert len(signature) == 64
    assert signature_is_valid(SIGNED, signature)


@pytest.mark.parametrize("byte", [0, 87, 88, 1023])
def test_it_covers_all_of_the_announcement(byte: int) -> None:
    signature = sign_announcement(SIGNED, SEED)
    changed = bytearray(SIGNED)
    changed[byte] ^= 1
    assert not signature_is_valid(bytes(changed), signature)


@pytest.mark.parametrize("byte", [0, 31, 32, 63])
def test_every_part_of_it_counts(byte: int) -> None:
    signature = bytearray(sign_announcement(SIGNED, SEED))
    signature[byte] ^= 1
    assert not signature_is_valid(SIGNED, bytes(signature))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_another_size_is_no_signature(size: int) -> None:
    signature = sign_announcement(SIGNED, SEED) + b"\0"
    assert not signature_is_valid(SIGNED, signature[:size])


def test_another_key_does_not_sign() -> None:
    assert not signature_is_valid(SIGNED, sign_announcement(SIGNED, bytes(32)))


@pytest.mark.parametrize("key", [b"\xff" * 32, b"\x02" + bytes(31)])
def test_a_key_that_is_no_point_verifies_nothing(key: bytes) -> None:
    announcement = _announcement(key)[:1024]
    assert not signature_is_valid(announcement, sign_announcement(announcement, SEED))
