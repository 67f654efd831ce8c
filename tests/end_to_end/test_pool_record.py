"""The comparison that test_kill.py and `make soak` rely on finds what it is there for."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pool_record import LedgerView, PoolRecord, missing, problems

POST, SHARE = "aa" * 16, "bb" * 16
BLOCK, OTHER = b"\x01" * 32, b"\x02" * 32

RECORD = PoolRecord(
    posts={POST: ("pkt1miner", "3", "0", "545259519")},
    shares={SHARE: ("pkt1miner", "503382015", "1")},
    bodies={POST: 4},
    blocks=Counter([BLOCK]),
    _keys=[np.arange(4, dtype=np.uint64)],
)
LEDGER = LedgerView(
    posts=dict(RECORD.posts), shares=dict(RECORD.shares), packed=3, blocks=[BLOCK], won=[BLOCK]
)


def test_books_that_agree_are_fine() -> None:
    assert list(problems(RECORD, LEDGER, {BLOCK, OTHER})) == []
    assert missing(RECORD, LEDGER) == 0


@pytest.mark.parametrize(
    ("ledger", "found"),
    [
        (replace(LEDGER, posts={}, packed=0), f"post {POST} was acknowledged, and the ledger"),
        (replace(LEDGER, shares={}), f"share {SHARE} was acknowledged, and the ledger"),
        (
            replace(LEDGER, posts={POST: ("pkt1miner", "2", "0", "545259519")}, packed=2),
            "was acknowledged as",
        ),
        (
            replace(LEDGER, shares={SHARE: ("pkt1other", "503382015", "1")}),
            "was acknowledged as",
        ),
        (
            replace(LEDGER, posts={**LEDGER.posts, "cc" * 16: ("pkt1x", "1", "0", "1")}, packed=4),
            "is paid ('pkt1x', '1', '0', '1'), but 0 were sent",
        ),
        (replace(LEDGER, packed=6), "packed posts add up to 6"),
        (replace(LEDGER, blocks=[]), "is in the chain, and the ledger lacks it"),
        (replace(LEDGER, won=[BLOCK, BLOCK]), "was won 2 times"),
    ],
    ids=[
        "lost post",
        "lost share",
        "less",
        "someone else",
        "never sent",
        "packed",
        "lost block",
        "won twice",
    ],
)
def test_what_the_ledger_says_wrongly_is_found(ledger: LedgerView, found: str) -> None:
    (problem,) = problems(RECORD, ledger, {BLOCK})

    assert found in problem


def test_a_block_that_is_not_in_the_chain_is_found() -> None:
    (problem,) = problems(RECORD, LEDGER, {OTHER})

    assert "acknowledged by the chain, which does not have it" in problem


def test_announcements_paid_under_two_events_are_found() -> None:
    second = {"dd" * 16: ("pkt1miner", "3", "0", "545259519")}
    record = replace(
        RECORD, posts={**RECORD.posts, **second}, bodies={**RECORD.bodies, "dd" * 16: 4}
    )
    ledger = replace(LEDGER, posts=dict(record.posts), packed=6)

    (problem,) = problems(record, ledger, {BLOCK})

    assert problem == "6 announcements are paid, and 4 different ones were sent"
