"""`packetcrypt devchain`: what is refused, and what survives a kill."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import COMMAND, PAYMENT_ADDRESS, Ended
from pool_processes import LoggedProcess, free_port

from packetcrypt.client.pktd import PktdSettings, pktd_client

Cli = Callable[..., Ended]

HEAD = """\
master_url = "http://127.0.0.1:9/master"
root_workdir = "work"
paymaker_http_password = "0b1c"
[pktd]
user = "pool"
password = "f77a"
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD, "it has no development chain: add a table"),
        (HEAD + "[devchain]\ncolour = 1\n", '"colour" is no setting in [devchain]'),
        (HEAD + "[devchain]\ndrop = 2.0\n", "drop = 2.0 is no probability"),
    ],
)
def test_settings_that_cannot_work(cli: Cli, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(content)
    ended = cli("devchain", "-C", file)
    assert (ended.status, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


async def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "pool.toml"
    file.write_text(HEAD + f'[devchain]\nbind = "127.0.0.1:{port}"\n')
    pktd = PktdSettings(url=f"http://127.0.0.1:{port}", user="pool", password="f77a")
    async with pktd_client(pktd) as client:
        with LoggedProcess(COMMAND, "devchain", "-C", file) as killed:
            await asyncio.to_thread(killed.wait_for, lambda line: "chain answers at" in line)
            await client.configure_mining_payouts({PAYMENT_ADDRESS: 1.0})
            before = await client.best_block_hash(), await client.block_template()
            await asyncio.to_thread(killed.stop, signal.SIGKILL)
        with LoggedProcess(COMMAND, "devchain", "-C", file) as again:
            await asyncio.to_thread(again.wait_for, lambda line: "chain answers at" in line)
            tip, template = await client.best_block_hash(), await client.block_template()
            status = await asyncio.to_thread(again.stop, signal.SIGTERM)
    assert (tip, template.transactions) == (before[0], before[1].transactions)
    assert status == 0
    assert "development chain stops" in again.lines[-1]
