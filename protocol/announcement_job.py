"""Which seeds follow from a job, that is a header and its parent block (spec 1 §4)."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.difficulty import soft_nonce_max
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.primitives import h64


class TableSeeds(NamedTuple):
    """What a table of 8192 items is computed from: two seeds of 32 bytes."""

    program: bytes
    items: bytes


class JobSeeds:
    """The seeds of a job whose header is at hand as bytes, as it is where many are checked.

    encoded_header : 88 bytes with soft nonce 0
    parent_hash    : 32 bytes, internal byte order
    """

    def __init__(self, encoded_header: bytes, parent_hash: bytes) -> None:
        self._header = encoded_header
        self._h0 = h64(encoded_header + parent_hash + bytes(32))

    def table0(self) -> TableSeeds:
        """See `AnnouncementJob.table0_seeds`."""
        return TableSeeds(self._h0[:32], self._h0[32:])

    def table1(self, root: bytes) -> TableSeeds:
        """See `AnnouncementJob.table1_seeds`."""
        v = h64(root + self._h0)
        return TableSeeds(v[:32], v[32:])

    def search(self, root: bytes) -> bytes:
        """See `AnnouncementJob.search_seed`."""
        return h64(self._header + root)[:32]


@dataclass(frozen=True)
class AnnouncementJob:
    """What one search for announcements is about.

    header      : its soft nonce must be 0
    parent_hash : 32 bytes, internal byte order
    """

    header: AnnouncementHeader
    parent_hash: bytes

    def __post_init__(self) -> None:
        if len(self.parent_hash) != 32:
            raise DecodeError(
                f"the parent block hash has {len(self.parent_hash)} bytes: it must have 32"
            )
        if self.header.soft_nonce != 0:
            raise DecodeError(
                f"a job's header has soft nonce 0, not {self.header.soft_nonce}: "
                "use header.with_soft_nonce(0)"
            )

    @cached_property
    def encoded_header(self) -> bytes:
        """The 88 bytes of the header."""
        return self.header.encode()

    @cached_property
    def _seeds(self) -> "JobSeeds":
        return JobSeeds(self.encoded_header, self.parent_hash)

    @property
    def soft_nonce_max(self) -> int:
        """The last soft nonce worth searching."""
        return soft_nonce_max(self.header.work_bits)

    def table0_seeds(self) -> TableSeeds:
        """Seeds of T0, whose items are the leaves of the Merkle tree."""
        return self._seeds.table0()

    def table1_seeds(self, root: bytes) -> TableSeeds:
        """Seeds of T1, whose items are searched with; `root` is the 64-byte Merkle root of T0."""
        return self._seeds.table1(root)

    def search_seed(self, root: bytes) -> bytes:
        """The 32-byte seed of the CryptoCycle states of this job."""
        return self._seeds.search(root)
