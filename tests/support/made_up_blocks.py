"""Announcements, works and sets for tests of mining blocks to which validity is no matter."""

import numpy as np

from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_store import AnnouncementStore, PinnedRows
from packetcrypt.engine.block_tree import BlockTree, LayerHasher, U8s, build_tree
from packetcrypt.engine.key_index import Keys
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE
from packetcrypt.protocol.block_check import BlockCheck, check_block
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.commitment import PLACEHOLDER
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.validation import AnnouncementCheck, CheckedAnnouncement
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


def whole_tree(store: AnnouncementStore, pinned: PinnedRows, hasher: LayerHasher) -> BlockTree:
    """All steps of a tree at once."""
    steps = build_tree(store, pinned, hasher)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            tree: BlockTree = finished.value
            return tree


def mined_set_of(store: AnnouncementStore, hasher: LayerHasher | None = None) -> MinedSet:
    """Everything in a store as a set, as device 0:0 would have built it."""
    classes = tuple(store.classes())
    pinned = store.pin(classes)
    return MinedSet(classes, pinned, whole_tree(store, pinned, hasher or PlainHasher()), "0:0")


def verdict(share: FoundShare) -> BlockCheck:
    """The referee's, but for the announcements themselves, which are made up."""

    def good(_announcement: bytes, _parent_hash: bytes) -> CheckedAnnouncement:
        return CheckedAnnouncement(AnnouncementCheck.OK, bytes(32))

    return check_block(
        share.header,
        share.commitment,
        share.proof,
        share.work.height,
        share.work.share_target,
        [bytes(32)] * 4,
        announcement_check=good,
    ).result
