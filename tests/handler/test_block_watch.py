"""Which blocks of the chain are logged, and when they count as new."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pktd_chain import HEIGHT
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.pktd import pktd_client
from packetcrypt.handler import block_journal, block_watch
from packetcrypt.handler.block_journal import BlockJournal
from packetcrypt.handler.block_watch import BlockWatch
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.paylog import PayLog


@pytest.fixture
async def pktd() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as pktd:
        yield pktd


@asynccontextmanager
async def _watch(pktd: PktdStandIn, folder: Path) -> AsyncIterator[BlockWatch]:
    """One run of a handler, as far as it watches the chain."""
    disk = DiskThread()
    journal = BlockJournal(PayLog(folder, 1 << 20), disk)
    await journal.recover()
    async with pktd_client(pktd.settings) as client:
        yield BlockWatch(client, journal)
    disk.close()


def _events(folder: Path) -> list[dict[str, Any]]:
    lines = (path.read_text().splitlines() for path in sorted(folder.iterdir()))
    return [json.loads(line) for file in lines for line in file]


def _heights(folder: Path) -> list[int]:
    return [event["height"] for event in _events(folder)]


async def test_a_block_is_logged_once(pktd: PktdStandIn, tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        await watch.look()

    (event,) = _events(tmp_path)
    shown = pktd.chain.tip.hash[::-1].hex()
    assert before <= event.pop("time") <= time.time_ns() // 1_000_000
    assert event == {
        "type": "block",
        "hash": shown,
        "height": HEIGHT - 1,
        "difficulty": 1.5,
        "eventId": shown[:32],
    }


async def test_a_tip_that_the_journal_forgot_is_not_logged_again(
    pktd: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_journal, "REMEMBERED", 0)
    monkeypatch.setattr(block_watch, "CATCH_UP", 1)
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT - 1]


async def test_of_an_old_chain_only_the_tip_is_new(pktd: PktdStandIn, tmp_path: Path) -> None:
    for _ in range(3):
        pktd.chain.add_made_up_block()
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT + 2]


async def test_blocks_between_two_looks_are_logged_in_their_order(
    pktd: PktdStandIn, tmp_path: Path
) -> None:
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        missed = [pktd.chain.add_made_up_block() for _ in range(3)]
        await watch.look()

    events = _events(tmp_path)
    assert [event["height"] for event in events] == [HEIGHT - 1, HEIGHT, HEIGHT + 1, HEIGHT + 2]
    assert [event["time"] for event in events[1:3]] == [block.time * 1000 for block in missed[:2]]
    assert events[3]["time"] > events[2]["time"]


async def test_a_missed_block_that_says_it_is_of_the_future_is_of_now(
    pktd: PktdStandIn, tmp_path: Path
) -> None:
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        pktd.chain.add_made_up_block(HEIGHT + 40_000_000)
        pktd.chain.add_made_up_block()
        await watch.look()

    _, missed, tip = _events(tmp_path)
    assert missed["time"] == tip["time"] <= time.time_ns() // 1_000_000


async def test_a_replaced_block_is_another_one(pktd: PktdStandIn, tmp_path: Path) -> None:
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        pktd.chain.add_made_up_block()
        await watch.look()
        pktd.chain.blocks.pop()
        pktd.chain.blocks.append(pktd.chain.add_made_up_block(HEIGHT + 60))
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT - 1, HEIGHT, HEIGHT + 60]


async def test_after_a_restart_blocks_of_the_pay_log_are_known(
    pktd: PktdStandIn, tmp_path: Path
) -> None:
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
    for _ in range(2):
        pktd.chain.add_made_up_block()
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT - 1, HEIGHT, HEIGHT + 1]


async def test_a_node_that_was_far_behind_is_not_asked_for_everything(
    pktd: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_watch, "CATCH_UP", 2)
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        for _ in range(5):
            pktd.chain.add_made_up_block()
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT - 1, HEIGHT + 3, HEIGHT + 4]


async def test_what_the_disk_does_not_take_now_is_logged_later(
    pktd: PktdStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with _watch(pktd, tmp_path) as watch:
        with monkeypatch.context() as patched:
            patched.setattr(PayLog, "append", full)
            await watch.look()
        assert _heights(tmp_path) == []
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT - 1]
    assert "blocks of the chain are not logged" in caplog.text
    assert "No space left on device" in caplog.text
    assert "the disk takes blocks of the chain again" in caplog.text


@pytest.mark.parametrize("method", ["getbestblockhash", "getblockheader"])
async def test_what_the_node_does_not_say_now_it_is_asked_again(
    pktd: PktdStandIn, tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    pktd.once[method] = Fault(error=(-28, "Loading the chain"))
    async with _watch(pktd, tmp_path) as watch:
        await watch.look()
        assert _heights(tmp_path) == []
        await watch.look()

    assert _heights(tmp_path) == [HEIGHT - 1]
    assert f"did not answer {method}: it answered error -28" in caplog.text
    assert "pktd answers again" in caplog.text
