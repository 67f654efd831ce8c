"""Who vouches for a signed announcement in a block (spec 1 §5 "On the wire").

An announcement with a signing key is of use only to whoever has the secret to it: the block needs
its Ed25519 signature (RFC 8032) over all 1024 bytes.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE_SIZE = 64
_KEY_OFFSET, _KEY_END = 56, 88
UNSIGNED_KEY = bytes(_KEY_END - _KEY_OFFSET)
"""the signing key of an announcement that anybody may mine blocks with"""


def signing_key_of(announcement: bytes) -> bytes:
    """The 32-byte Ed25519 public key in an announcement; `UNSIGNED_KEY` if it is unsigned."""
    return announcement[_KEY_OFFSET:_KEY_END]


def is_signed(announcement: bytes) -> bool:
    """Whether a block with this announcement needs a signature."""
    return signing_key_of(announcement) != UNSIGNED_KEY


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key, for an announcement's header, of a 32-byte secret seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign_announcement(announcement: bytes, seed: bytes) -> bytes:
    """The 64-byte signature by the secret seed of an announcement's signing key."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(announcement)


def signature_is_valid(announcement: bytes, signature: bytes) -> bool:
    """Whether a signature is that of an announcement's signing key over the announcement."""
    try:
        key = Ed25519PublicKey.from_public_bytes(signing_key_of(announcement))
        key.verify(signature, announcement)
    except (InvalidSignature, ValueError):
        return False
    return True
