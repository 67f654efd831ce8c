"""Work: which is refused, and which jobs it makes."""

import pytest
from vector_files import load_vectors

from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.protocol.errors import ConfigError

VECTOR = load_vectors("ann_jobs")["jobs"][1]


def test_a_job_has_the_header_of_the_work_and_its_hard_nonce() -> None:
    work = AnnouncementWork(
        parent_hash=bytes.fromhex(VECTOR["parent_block_hash"]),
        parent_height=VECTOR["parent_block_height"],
        work_bits=int(VECTOR["work_bits"], 16),
        signing_key=bytes.fromhex(VECTOR["signing_key"]),
    )

    job = work.job(VECTOR["hard_nonce"])

    announcement = bytes.fromhex(VECTOR["anns"][0]["bytes"])
    assert job.encoded_header == announcement[:1] + bytes(3) + announcement[4:88]
    assert job.parent_hash == work.parent_hash
    assert job.soft_nonce_max == VECTOR["soft_nonce_max"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("work_bits", 0, "work bits 0x00000000"),
        ("work_bits", 0x21000001, "work bits 0x21000001"),
        ("work_bits", 0x20800000, "work bits 0x20800000"),
        ("parent_hash", bytes(31), "31 bytes"),
        ("parent_height", -1, "parent_height -1"),
        ("parent_height", 1 << 32, "parent_height 4294967296"),
        ("signing_key", bytes(33), "signing_key has 33 bytes"),
        ("content_hash", b"", "content_hash has 0 bytes"),
    ],
)
def test_what_no_announcement_can_carry_is_refused_by_name(
    field: str, value: object, message: str
) -> None:
    fields = {"parent_hash": bytes(32), "parent_height": 1, "work_bits": 0x2001FFFF, field: value}

    with pytest.raises(ConfigError, match=message):
        AnnouncementWork(**fields)
