"""`GET /blocks` over real HTTP."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paymaker_setup import ALICE, block, body, paymaker, share
from pktd_stand_in import PktdStandIn, pktd_stand_in

from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.ledger_blocks import LedgerBlock


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as node:
        yield node


async def test_what_is_told_of_a_block(node: PktdStandIn, tmp_path: Path) -> None:
    seen = block(2000, 1.0, height=8)
    won = share(ALICE, 1990, block=True, headerHash=seen["hash"])
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(block(1000, 1.0, height=7), won, seen))
        status, answer = await user.get("/blocks")
    assert status == 200
    assert answer["blocks"][0] == {
        "height": 8,
        "hash": seen["hash"],
        "time": 2000,
        "finder": ALICE,
        "eventId": won["eventId"],
        "won": True,
        "displaced": False,
    }
    assert (answer["blocks"][1]["finder"], answer["blocks"][1]["won"]) == (None, False)


async def test_a_block_whose_hash_is_not_known(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(share(ALICE, 5, block=True)))
        _, answer = await user.get("/blocks")
    assert (answer["blocks"][0]["hash"], answer["blocks"][0]["height"]) == (None, None)


async def test_many_who_ask_are_one_reading(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def counted(_: Ledger) -> tuple[LedgerBlock, ...]:
        reads.append(1)
        return ()

    monkeypatch.setattr(Ledger, "blocks", counted)
    monkeypatch.setattr("packetcrypt.pool.paymaker_blocks.ANSWER_SECONDS", 3600.0)
    async with paymaker(node, tmp_path) as user:
        answers = await asyncio.gather(*(user.get("/blocks") for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    assert len(reads) == 1


async def test_too_many_questions(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.pool.paymaker_blocks.WAITING_MAX", 0)
    async with paymaker(node, tmp_path) as user:
        status, answer = await user.get("/blocks")
    assert (status, answer["error"]) == (503, ["overloaded: ask again later"])


async def test_a_ledger_that_cannot_be_read(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path) as user:
        with sqlite3.connect(user.paymaker.settings.ledger) as other:
            other.execute("ALTER TABLE blocks RENAME TO hidden")
        other.close()
        status, answer = await user.get("/blocks")
    assert status == 500
    assert "ask again later" in answer["error"][0]
