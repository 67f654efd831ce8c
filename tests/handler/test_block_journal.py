"""That an event is written once, whoever comes with it how often."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from packetcrypt.handler import block_journal
from packetcrypt.handler.block_journal import BlockJournal
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.paylog import PayLog
from packetcrypt.protocol.share_messages import BlockEvent, ShareResult


def _share(number: int = 0, pay_to: str = "first") -> ShareResult:
    return ShareResult(
        pay_to=pay_to,
        block=False,
        time=1,
        event_id=f"{number:032x}",
        target=0x207FFFFF,
        ann_count=6,
        ann_target=0x2000FFFF,
        encryptions=12,
    )


BLOCK = BlockEvent(hash=bytes(range(32)), height=7, difficulty=1.5, time=2)


@pytest.fixture
async def disk() -> AsyncIterator[DiskThread]:
    disk = DiskThread()
    yield disk
    disk.close()


async def _journal(folder: Path, disk: DiskThread) -> BlockJournal:
    journal = BlockJournal(PayLog(folder, 1 << 20), disk)
    await journal.recover()
    return journal


def _written(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(folder.iterdir())
        for line in path.read_text().splitlines()
    ]


async def test_an_event_is_on_the_disk_when_it_is_written(tmp_path: Path, disk: DiskThread) -> None:
    journal = await _journal(tmp_path, disk)

    assert await journal.write(_share()) == _share()
    assert await journal.write(BLOCK) == BLOCK

    assert _written(tmp_path) == [_share().as_json(), BLOCK.as_json()]


async def test_who_comes_second_is_told_what_is_written(tmp_path: Path, disk: DiskThread) -> None:
    journal = await _journal(tmp_path, disk)
    await journal.write(_share(pay_to="first"))

    assert await journal.write(_share(pay_to="second")) == _share(pay_to="first")

    assert _written(tmp_path) == [_share(pay_to="first").as_json()]


async def test_two_at_the_same_time(tmp_path: Path, disk: DiskThread) -> None:
    journal = await _journal(tmp_path, disk)

    events = [_share(pay_to=name) for name in ("first", "second", "third")]
    written = await asyncio.gather(*(journal.write(event) for event in events))

    assert written == [events[0]] * 3
    assert _written(tmp_path) == [events[0].as_json()]


async def test_a_share_is_found_by_its_id(tmp_path: Path, disk: DiskThread) -> None:
    journal = await _journal(tmp_path, disk)
    await journal.write(_share())
    await journal.write(BLOCK)

    assert await journal.share(_share().event_id) == _share()
    assert await journal.share(_share(1).event_id) is None
    assert await journal.share(BLOCK.event_id) is None
    assert journal.has(BLOCK.event_id)


async def test_after_a_restart_the_pay_logs_are_remembered(
    tmp_path: Path, disk: DiskThread
) -> None:
    before = await _journal(tmp_path, disk)
    await before.write(_share(pay_to="first"))
    await before.write(BLOCK)

    after = await _journal(tmp_path, disk)

    assert after.knows_blocks
    assert await after.write(_share(pay_to="second")) == _share(pay_to="first")
    assert await after.write(BLOCK) == BLOCK
    assert len(_written(tmp_path)) == 2


async def test_what_is_no_event_is_passed_over(tmp_path: Path, disk: DiskThread) -> None:
    lines = [b"[]", b"{", b'{"type":"anns"}', b'{"type":"share"}', b"\xff"]
    whole = json.dumps(_share().as_json()).encode()
    (tmp_path / "paylog_1.ndjson").write_bytes(b"\n".join([*lines, whole, b""]))

    journal = await _journal(tmp_path, disk)

    assert await journal.share(_share().event_id) == _share()
    assert not journal.knows_blocks


async def test_what_could_not_be_written_may_be_tried_again(
    tmp_path: Path, disk: DiskThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await _journal(tmp_path, disk)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(PayLog, "append", full)
        with pytest.raises(OSError, match="No space left"):
            await journal.write(_share())
    assert not journal.has(_share().event_id)

    await journal.write(_share())

    assert _written(tmp_path) == [_share().as_json()]


async def test_only_the_newest_are_remembered(
    tmp_path: Path, disk: DiskThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_journal, "REMEMBERED", 2)
    journal = await _journal(tmp_path, disk)

    for number in range(3):
        await journal.write(_share(number))

    assert [journal.has(_share(number).event_id) for number in range(3)] == [False, True, True]
