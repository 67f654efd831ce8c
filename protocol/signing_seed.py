"""Which secret signs the announcements of which block in a pool that signs (spec 2 "Master").

A pool with a `privateSeed` gives each height a key pair of its own, so that announcements are of
use only in its own blocks, and one secret lost is the secret of one height.
"""

import hashlib


def signing_seed(private_seed: str, height: int) -> bytes:
    """The 32-byte Ed25519 seed of a height: SHA256(privateSeed ‖ u32 height).

    height : of the block that is mined when announcements with this key begin to be: one above
             their parent block's
    """
    return hashlib.sha256(private_seed.encode() + height.to_bytes(4, "little")).digest()
