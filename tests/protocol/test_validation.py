"""Validation against ann_check.json and the announcements of ann_jobs.json."""

from typing import Any

import pytest
from vector_files import load_vectors

from packetcrypt.protocol import validation
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.errors import DecodeError, ProgramError
from packetcrypt.protocol.validation import (
    AnnouncementCheck,
    check_announcement,
    structural_check,
)

MINED = [
    pytest.param(job["parent_block_hash"], mined, id=f"job{index}/{mined['soft_nonce']}")
    for index, job in enumerate(load_vectors("ann_jobs")["jobs"])
    for mined in job["anns"]
]
VALID = load_vectors("ann_check")[0]


@pytest.mark.parametrize("case", load_vectors("ann_check"), ids=lambda c: c["name"])
def test_verdicts(case: dict[str, str]) -> None:
    announcement, parent = bytes.fromhex(case["ann"]), bytes.fromhex(case["parent_block_hash"])
    assert check_announcement(announcement, parent).result.name == case["result"]


@pytest.mark.parametrize(("parent", "mined"), MINED)
def test_mined_announcements_are_valid(parent: str, mined: dict[str, Any]) -> None:
    checked = check_announcement(bytes.fromhex(mined["bytes"]), bytes.fromhex(parent))
    assert checked.result is AnnouncementCheck.OK
    assert checked.work_hash is not None
    assert checked.work_hash.hex() == mined["work_hash"]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "OK"),
        ({"version": 0}, "BAD_VERSION"),
        ({"version": 2, "work_bits": 0, "soft_nonce": 0xFFFFFF}, "BAD_VERSION"),
        ({"work_bits": 0, "soft_nonce": 0xFFFFFF}, "INSUF_POW"),
        ({"work_bits": 0x20800000}, "INSUF_POW"),
        ({"soft_nonce": 1023}, "OK"),
        ({"soft_nonce": 1024}, "SOFT_NONCE_HIGH"),
    ],
)
def test_structural_checks_come_in_the_stated_order(change: dict[str, int], verdict: str) -> None:
    fields = {"hard_nonce": 0, "work_bits": 0x207FFFFF, "parent_height": 0} | change
    assert structural_check(AnnouncementHeader(**fields)).name == verdict


def test_an_invalid_program_makes_the_announcement_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    """No known seed gives an invalid program, so the limit is lowered instead."""

    def too_big(_seed: bytes) -> None:
        raise ProgramError("too big")

    monkeypatch.setattr(validation.RandProgram, "generate", too_big)
    announcement = bytes.fromhex(VALID["ann"])
    checked = check_announcement(announcement, bytes.fromhex(VALID["parent_block_hash"]))
    assert checked.result is AnnouncementCheck.INVAL


def test_another_size_is_refused() -> None:
    with pytest.raises(DecodeError, match="1024 bytes, this one has 1023"):
        check_announcement(bytes(1023), bytes(32))
