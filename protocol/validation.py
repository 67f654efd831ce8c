"""Whether an announcement is valid for its parent block (spec 1 §4 "Validation").

`check_announcement` is the referee: plain, slow (tens of milliseconds), and what every faster check
must agree with.
"""

from dataclasses import dataclass
from enum import IntEnum

from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.announcement import (
    ANNOUNCEMENT_SIZE,
    ENCRYPTED_SIZE,
    MERKLE_DEPTH,
    PREFIX_OFFSET,
    PREFIX_SIZE,
    ROOT_OFFSET,
    SIBLINGS_OFFSET,
    TABLE_SIZE,
    VERSION,
    AnnouncementHeader,
)
from packetcrypt.protocol.announcement_job import AnnouncementJob, TableSeeds
from packetcrypt.protocol.difficulty import meets, min_ann_target_ok, soft_nonce_max
from packetcrypt.protocol.errors import DecodeError, ProgramError
from packetcrypt.protocol.merkle import branch_root
from packetcrypt.protocol.primitives import h64
from packetcrypt.protocol.randhash import RandProgram, item

UPDATES = 4
"""items that a search absorbs into its state"""


class AnnouncementCheck(IntEnum):
    """The verdict on an announcement; the names are the protocol's."""

    OK = 0
    BAD_VERSION = 1
    """the version is not 1"""
    INSUF_POW = 2
    """the work bits are impossible, or the work hash does not meet them"""
    SOFT_NONCE_HIGH = 3
    """the soft nonce is above the maximum for the work bits"""
    INVAL_ITEM4 = 4
    """the decrypted item prefix is not zero"""
    INVAL = 5
    """the Merkle branch does not lead from the item to the root, or a random program is invalid"""


@dataclass(frozen=True)
class CheckedAnnouncement:
    """A verdict, and the 32-byte work hash where the checks came that far."""

    result: AnnouncementCheck
    work_hash: bytes | None = None


def structural_check(header: AnnouncementHeader) -> AnnouncementCheck:
    """The verdict of what needs no hashing: version, work bits, soft nonce, in this order."""
    if header.version != VERSION:
        return AnnouncementCheck.BAD_VERSION
    if not min_ann_target_ok(header.work_bits):
        return AnnouncementCheck.INSUF_POW
    if header.soft_nonce > soft_nonce_max(header.work_bits):
        return AnnouncementCheck.SOFT_NONCE_HIGH
    return AnnouncementCheck.OK


class _Table:
    """Single items of a table, each computed when asked for."""

    def __init__(self, seeds: TableSeeds) -> None:
        self._items_seed = seeds.items
        self._program = RandProgram.generate(seeds.program)

    def item(self, number: int) -> bytes:
        return item(number, self._items_seed, self._program)


def check_announcement(announcement: bytes, parent_hash: bytes) -> CheckedAnnouncement:
    """Validate one announcement of 1024 bytes.

    parent_hash : 32 bytes, internal byte order. Raises `DecodeError` for another size of either.
    """
    if len(announcement) != ANNOUNCEMENT_SIZE:
        raise DecodeError(
            f"an announcement has {ANNOUNCEMENT_SIZE} bytes, this one has {len(announcement)}"
        )
    header = AnnouncementHeader.decode(announcement)
    verdict = structural_check(header)
    if verdict is not AnnouncementCheck.OK:
        return CheckedAnnouncement(verdict)
    try:
        return _check_hashes(announcement, header, parent_hash)
    except ProgramError:
        return CheckedAnnouncement(AnnouncementCheck.INVAL)


def _check_hashes(
    announcement: bytes, header: AnnouncementHeader, parent_hash: bytes
) -> CheckedAnnouncement:
    job = AnnouncementJob(header.with_soft_nonce(0), parent_hash)
    root = announcement[ROOT_OFFSET:PREFIX_OFFSET]
    table1 = _Table(job.table1_seeds(root))

    state = cryptocycle.init(job.search_seed(root), header.soft_nonce)
    for _ in range(UPDATES):
        index = cryptocycle.item_number(state) % TABLE_SIZE
        cryptocycle.update(state, table1.item(index))
    cryptocycle.final(state)
    work_hash = bytes(state[:32])

    branch, prefix = _decrypt(announcement, state)
    if any(prefix):
        return CheckedAnnouncement(AnnouncementCheck.INVAL_ITEM4, work_hash)
    leaf_hash = h64(_Table(job.table0_seeds()).item(index))
    siblings = [branch[64 * depth : 64 * (depth + 1)] for depth in range(MERKLE_DEPTH)]
    if branch_root(leaf_hash, index, siblings) != root:
        return CheckedAnnouncement(AnnouncementCheck.INVAL, work_hash)
    if not meets(work_hash, header.work_bits):
        return CheckedAnnouncement(AnnouncementCheck.INSUF_POW, work_hash)
    return CheckedAnnouncement(AnnouncementCheck.OK, work_hash)


def _decrypt(announcement: bytes, state: bytearray) -> tuple[bytes, bytes]:
    """The Merkle siblings and the item prefix of an announcement, given its final state."""
    encrypted = announcement[SIBLINGS_OFFSET:ROOT_OFFSET] + announcement[PREFIX_OFFSET:]
    plain = bytes(a ^ b for a, b in zip(encrypted, state[:ENCRYPTED_SIZE], strict=True))
    return plain[:-PREFIX_SIZE], plain[-PREFIX_SIZE:]
