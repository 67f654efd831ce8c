"""Announcements and works for tests of mining blocks to which validity is no matter."""

import numpy as np

from packetcrypt.engine.block_tree import U8s
from packetcrypt.engine.key_index import Keys
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.commitment import PLACEHOLDER
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.work_file import BlockWork

EASIEST = 0x207FFFFF
USUAL = 0x1F0FFFFF
"""usable for some blocks, while `EASIEST` cannot be degraded and is so for one only"""


def made_up(count: int, parent_height: int, work_bits: int = USUAL, seed: int = 0) -> np.ndarray:
    """(count, 1024) uint8: random but for what a store looks at."""
    rng = np.random.default_rng([seed, parent_height, work_bits])
    announcements = rng.integers(0, 256, (count, 1024), np.uint8)
    records = announcements.view(ANNOUNCEMENT_DTYPE).reshape(-1)
    records["version"] = 1
    records["parent_height"] = parent_height
    records["work_bits"] = work_bits
    return announcements


def block_work(height: int, share_target: int = EASIEST, bits: int = 0x1D00FFFF) -> BlockWork:
    header = BlockHeader(
        version=0x20000000,
        previous_hash=height.to_bytes(32, "little"),
        merkle_root=bytes(32),
        time=1_600_000_000,
        bits=bits,
        nonce=0,
    )
    return BlockWork(
        header=header,
        signing_key=bytes(32),
        share_target=share_target,
        ann_target=EASIEST,
        height=height,
        coinbase_no_witness=b"\x01\x00\x00\x00" + bytes(60) + PLACEHOLDER + bytes(30),
        merkle_branch=(bytes(range(32)), bytes(range(32, 64))),
    )


class PlainHasher:
    """Hashes layers one pair at a time."""

    def hash_layer(self, hashes: U8s, starts: Keys, end: int) -> U8s:
        bounds = [bound.to_bytes(8, "little") for bound in (*starts.tolist(), end)]
        nodes = [row.tobytes() + bounds[i] + bounds[i + 1] for i, row in enumerate(hashes)]
        parents = [h32(left + right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        return np.frombuffer(b"".join(parents), np.uint8).reshape(-1, 32)
