"""Blocks of the chain and of the pool, joined from a real ledger."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from paymaker_setup import ALICE, BOB, Event, body, share
from paymaker_setup import block as block_event

from packetcrypt.pool import ledger_blocks, ledger_schema
from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.ledger_blocks import LedgerBlock
from packetcrypt.pool.ledger_writing import Upload
from packetcrypt.pool.paymaker_body import read_pay_log


def name(time: int) -> str:
    """The hash of the block told at this time, as displayed."""
    return hashlib.sha256(repr(time).encode()).hexdigest()


def won(pay_to: str, time: int, seen: int) -> Event:
    """A share that was the block which the chain had at another time."""
    return share(pay_to, time, block=True, headerHash=name(seen))


def block(time: int, height: int) -> Event:
    return block_event(time, 1.0, height=height)


def listed(folder: Path, *events: Event) -> tuple[LedgerBlock, ...]:
    log = body(*events)
    with Ledger(folder / "ledger.sqlite") as ledger:
        ledger.record(Upload(b"upload".ljust(16), 1, len(log), read_pay_log(log)))
        return ledger.blocks()


def facts(block: LedgerBlock) -> tuple[Any, ...]:
    return block.time, block.height, block.finder, block.is_displaced


def test_a_share_is_joined_with_its_block(tmp_path: Path) -> None:
    blocks = listed(tmp_path, block(10, 7), won(ALICE, 19, 20), block(20, 8), share(BOB, 21))
    assert list(map(facts, blocks)) == [(20, 8, ALICE, False), (10, 7, None, False)]
    assert [block.hash for block in blocks] == [bytes.fromhex(name(t))[::-1] for t in (20, 10)]
    assert blocks[0].event_id.hex() == won(ALICE, 19, 20)["eventId"]
    assert blocks[1].event_id.hex() == name(10)[:32]


def test_a_win_that_no_handler_has_seen_in_the_chain(tmp_path: Path) -> None:
    (block,) = listed(tmp_path, won(ALICE, 19, 20))
    assert facts(block) == (19, None, ALICE, False)
    assert block.hash == bytes.fromhex(name(20))[::-1]


def test_a_win_whose_hash_was_not_told(tmp_path: Path) -> None:
    (found,) = listed(tmp_path, share(ALICE, 5, block=True))
    assert (found.hash, found.height, found.finder) == (None, None, ALICE)


def test_the_chain_went_another_way(tmp_path: Path) -> None:
    blocks = listed(tmp_path, won(ALICE, 9, 10), block(10, 7), block(20, 7), block(30, 8))
    assert list(map(facts, blocks)) == [
        (30, 8, None, False),
        (20, 7, None, False),
        (10, 7, ALICE, True),
    ]


def test_old_wins_are_listed_with_the_newest_of_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_blocks, "CHAIN_BLOCKS", 3)
    monkeypatch.setattr(ledger_blocks, "WON_BLOCKS", 2)
    chain = [block(time, height=time) for time in range(1, 21)]
    rivals = [block(21, 5)]
    wins = [won(BOB, time, time) for time in (3, 5, 9)]
    blocks = listed(tmp_path, *chain, *rivals, *wins)
    assert list(map(facts, blocks)) == [
        (21, 5, None, False),
        (20, 20, None, False),
        (19, 19, None, False),
        (9, 9, BOB, False),
        (5, 5, BOB, True),
    ]


def test_an_empty_ledger(tmp_path: Path) -> None:
    assert listed(tmp_path) == ()


def test_a_ledger_of_version_1_gets_the_indexes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    listed(tmp_path, won(ALICE, 9, 10))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP INDEX won_shares_by_time")
        connection.execute("DROP INDEX blocks_by_height")
        connection.execute("UPDATE schema_version SET version = 1")
    connection.close()
    with Ledger(path) as ledger:
        assert len(ledger.blocks()) == 1
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
        versions = connection.execute("SELECT version FROM schema_version").fetchall()
    connection.close()
    assert {("won_shares_by_time",), ("blocks_by_height",)} <= set(rows)
    assert versions == [(len(ledger_schema.STEPS),)]


def test_the_newest_wins_are_found_without_reading_all_shares(tmp_path: Path) -> None:
    listed(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT time FROM shares WHERE is_block = 1 ORDER BY time DESC"
        ).fetchall()
    connection.close()
    assert "won_shares_by_time" in plan[0][3]
