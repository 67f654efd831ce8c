"""Job seeds: what they depend on, and what is refused."""

import pytest

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.primitives import h64

HEADER = AnnouncementHeader(hard_nonce=7, work_bits=0x2001FFFF, parent_height=12)
PARENT = bytes(range(32))
ROOT = bytes(range(64))


def test_seeds_follow_the_specification() -> None:
    job = AnnouncementJob(HEADER, PARENT)
    h0 = h64(HEADER.encode() + PARENT + bytes(32))
    assert b"".join(job.table0_seeds()) == h0
    assert b"".join(job.table1_seeds(ROOT)) == h64(ROOT + h0)
    assert job.search_seed(ROOT) == h64(HEADER.encode() + ROOT)[:32]
    assert job.soft_nonce_max == 65535


def test_a_soft_nonce_in_the_header_is_refused() -> None:
    with pytest.raises(DecodeError, match="soft nonce 0, not 3"):
        AnnouncementJob(HEADER.with_soft_nonce(3), PARENT)


def test_a_short_parent_hash_is_refused() -> None:
    with pytest.raises(DecodeError, match="31 bytes"):
        AnnouncementJob(HEADER, PARENT[:31])
