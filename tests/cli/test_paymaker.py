"""`packetcrypt paymaker`: what is refused, what survives a kill, and copies of the ledger."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from command_line import COMMAND, Ended
from paymaker_setup import ALICE, BOB, ERROR, POOL, anns, body, share
from paymaker_stand_in import PASSWORD
from pool_processes import LoggedProcess, free_port
from vector_files import VECTORS

from packetcrypt.client.paymaker import PaymakerClient
from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.paymaker_clock import milliseconds_now

Cli = Callable[..., Ended]

HEAD = f"""\
master_url = "http://127.0.0.1:9/master"
root_workdir = "work"
paymaker_http_password = "{PASSWORD}"
[pktd]
url = "http://127.0.0.1:9"
user = "x"
password = "y"
"""
PAYMAKER = f"""\
[paymaker]
default_address = "{POOL}"
error_address = "{ERROR}"
bind = "127.0.0.1:0"
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD, "it has no paymaker: add a table"),
        (HEAD + PAYMAKER + "colour = 1\n", 'pool.toml:12: "colour" is no setting in [paymaker]'),
    ],
)
def test_settings_that_cannot_work(cli: Cli, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(content)
    ended = cli("paymaker", "-C", file)
    assert (ended.status, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


def test_a_ledger_that_is_none(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + PAYMAKER)
    folder = tmp_path / "work" / "paymaker"
    folder.mkdir(parents=True)
    (folder / "ledger.sqlite").write_bytes(b"no database" * 1000)
    ended = cli("paymaker", "-C", file)
    assert ended.status == 2
    assert "the ledger cannot be opened" in " ".join(ended.err.split())


def test_a_backup_of_nothing(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + PAYMAKER)
    ended = cli("paymaker", "-C", file, "--backup", tmp_path / "copy")
    assert (ended.status, ended.out) == (2, "")
    assert "there is no ledger" in ended.err


def test_an_import(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + PAYMAKER)
    log = sorted((VECTORS / "paylog").glob("*.bin"))[3]

    first = cli("paymaker", "-C", file, "--import", log.parent)
    again = cli("paymaker", "-C", file, "--import", log, "-v")

    assert (first.status, again.status) == (0, 0)
    assert first.out == "4 pay logs imported, 0 damaged: 92 events new, 1 known, 1 lines refused\n"
    assert again.out == "1 pay logs imported, 0 damaged: 0 events new, 2 known, 1 lines refused\n"
    assert "1 lines are no events, the first: line 1: not JSON" in again.err
    with Ledger(tmp_path / "work" / "paymaker" / "ledger.sqlite") as ledger:
        assert ledger.counts().events == 92


def test_an_import_of_a_damaged_file(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + PAYMAKER)
    log = tmp_path / next((VECTORS / "paylog").glob("*.bin")).name
    log.write_bytes(b"")
    ended = cli("paymaker", "-C", file, "--import", log)
    assert (ended.status, ended.out.split(":")[0]) == (1, "0 pay logs imported, 1 damaged")
    assert "its 0 bytes are not those that it was written with" in ended.err


async def _start(file: Path) -> LoggedProcess:
    process = LoggedProcess(COMMAND, "paymaker", "-C", file)
    await asyncio.to_thread(process.wait_for, lambda line: "paymaker takes events" in line)
    return process


async def test_what_was_confirmed_survives_kill_9_and_is_in_a_backup(
    cli: Cli, tmp_path: Path
) -> None:
    port = free_port()
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + PAYMAKER.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    now = milliseconds_now() - 1000
    logs = [body(anns(ALICE, now + i), share(BOB, now + i)) for i in range(20)]
    copies = tmp_path / "copy 1", tmp_path / "copy 2"
    async with aiohttp.ClientSession() as session:
        client = PaymakerClient(session, f"http://127.0.0.1:{port}", PASSWORD, 30)
        with await _start(file) as killed:
            for log in logs[:10]:
                await client.upload(log)
            assert cli("paymaker", "-C", file, "--backup", copies[0]).status == 0
            for log in logs[10:]:
                await client.upload(log)
            await asyncio.to_thread(killed.stop, signal.SIGKILL)
        with await _start(file) as again:
            async with session.get(f"http://127.0.0.1:{port}/stats") as reply:
                stats = await reply.json()
            for log in logs:
                await client.upload(log)
            async with session.get(f"http://127.0.0.1:{port}/stats") as reply:
                later = await reply.json()
            status = await asyncio.to_thread(again.stop, signal.SIGTERM)
    assert cli("paymaker", "-C", file, "--backup", copies[1]).status == 0
    assert status == 0
    assert (stats["memory"]["anns"], stats["memory"]["shares"]) == (20, 20)
    assert later["ledger"] == stats["ledger"]
    assert later["sinceStart"]["replays"] == 20
    for copy, count in zip(copies, (10, 20), strict=True):
        with Ledger(copy) as ledger:
            assert len(ledger.history(0).announcement_posts) == count
    assert not any("Traceback" in line for line in killed.lines + again.lines)
    assert "paymaker stops" in again.lines[-1]


async def test_a_kill_in_the_middle_of_uploads_loses_nothing_confirmed(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + PAYMAKER.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    confirmed: list[int] = []

    async def upload_for_ever(client: PaymakerClient) -> None:
        for number in range(100_000):
            await client.upload(body(anns(ALICE, number, 1 + number)))
            confirmed.append(number)

    async with aiohttp.ClientSession() as session:
        client = PaymakerClient(session, f"http://127.0.0.1:{port}", PASSWORD, 30)
        with await _start(file) as killed:
            uploading = asyncio.create_task(upload_for_ever(client))
            while len(confirmed) < 20:  # noqa: ASYNC110 - it grows in another task
                await asyncio.sleep(0.01)
            await asyncio.to_thread(killed.stop, signal.SIGKILL)
            await asyncio.gather(uploading, return_exceptions=True)
    with Ledger(tmp_path / "work" / "paymaker" / "ledger.sqlite") as ledger:
        times = ledger.history(0).announcement_posts["time"].tolist()
    assert set(confirmed) <= set(times)
    assert len(times) == len(set(times))
