"""The host's opinion on what a device found."""

import queue

import pytest
from vector_files import load_vectors

from packetcrypt.engine.recheck import RecheckBudget, Rechecker, Sample, disagreement
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.protocol.announcement import dedup_key

VECTOR = load_vectors("ann_jobs")["jobs"][0]
ANNOUNCEMENT = bytes.fromhex(VECTOR["anns"][0]["bytes"])
WORK = AnnouncementWork(
    parent_hash=bytes.fromhex(VECTOR["parent_block_hash"]),
    parent_height=VECTOR["parent_block_height"],
    work_bits=int(VECTOR["work_bits"], 16),
)


def sample(announcement: bytes = ANNOUNCEMENT, key: int | None = None) -> Sample:
    key = dedup_key(announcement) if key is None else key
    return Sample(announcement, key, WORK, verdict=lambda problem: None)


def flip(position: int) -> bytes:
    return (
        ANNOUNCEMENT[:position] + bytes([ANNOUNCEMENT[position] ^ 1]) + ANNOUNCEMENT[position + 1 :]
    )


def test_a_good_announcement_is_agreed_with() -> None:
    assert disagreement(sample()) is None


@pytest.mark.parametrize(
    ("announcement", "verdict"),
    [
        (flip(1), "INVAL_ITEM4"),  # soft nonce
        (flip(500), "INVAL"),  # Merkle branch
        (flip(1000), "INVAL_ITEM4"),  # prefix
        (flip(12), "another header"),  # parent height
        (flip(60), "another header"),  # signing key
    ],
)
def test_a_wrong_announcement_is_found_out(announcement: bytes, verdict: str) -> None:
    problem = disagreement(sample(announcement))

    assert problem is not None
    assert verdict in problem


def test_a_wrong_key_is_found_out() -> None:
    problem = disagreement(sample(key=5))

    assert problem is not None
    assert "0x0000000000000005" in problem


def test_verdicts_come_from_the_thread_in_order_and_closing_waits_for_them() -> None:
    verdicts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    rechecker = Rechecker()
    for announcement in (ANNOUNCEMENT, flip(500)):
        rechecker.submit(Sample(announcement, dedup_key(announcement), WORK, verdict=verdicts.put))

    rechecker.close(timeout=30)

    assert verdicts.get_nowait() is None
    assert "INVAL" in str(verdicts.get_nowait())


def test_what_cannot_be_checked_is_a_bad_verdict_and_the_thread_goes_on() -> None:
    verdicts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    rechecker = Rechecker()
    for announcement in (ANNOUNCEMENT[:-1], ANNOUNCEMENT):
        rechecker.submit(Sample(announcement, dedup_key(announcement), WORK, verdicts.put))

    rechecker.close(timeout=30)

    assert "cannot check" in str(verdicts.get_nowait())
    assert verdicts.get_nowait() is None


def test_the_budget_is_a_share_of_the_time_passed() -> None:
    now = 100.0
    budget = RecheckBudget(share=0.01, clock=lambda: now)
    assert budget.affordable()

    budget.spend(0.05)
    now += 4.9
    assert not budget.affordable()

    now += 0.2
    assert budget.affordable()
