"""`packetcrypt bh`: what is refused at the start, how it is stopped, and what survives a kill."""

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from block_setup import PAY_TO, SUBMIT_URL, work_master
from block_shares import mine_share
from command_line import COMMAND, Ended
from paymaker_stand_in import PASSWORD as PAYMAKER_PASSWORD
from paymaker_stand_in import paymaker_stand_in
from pktd_stand_in import PASSWORD, USER, pktd_stand_in
from pool_processes import LoggedProcess, free_port

Cli = Callable[..., Ended]

POOL = f"""\
master_url = "http://127.0.0.1:9/master"
root_workdir = "work"
paymaker_http_password = "{PAYMAKER_PASSWORD}"
"""
PKTD = f"""\
[pktd]
url = "http://127.0.0.1:9"
user = "{USER}"
password = "{PASSWORD}"
"""
HANDLER = f"""\
[block_handler.bh0]
public_url = "{SUBMIT_URL.removesuffix("/submit")}"
bind = "127.0.0.1:0"
poll_interval = 0.05
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POOL + PKTD, "it has no block handler: add a table"),
        (POOL + HANDLER, "it does not say where pktd is: add a table"),
        (POOL + PKTD + HANDLER + "colour = 1\n", 'pool.toml:12: "colour" is no setting in [block'),
        (POOL + PKTD + HANDLER + HANDLER.replace("bh0]", "bh1]"), "name one of bh0, bh1"),
        (
            POOL + PKTD.replace("http:", "https:") + 'tls_certificate = "none"\n' + HANDLER,
            'none" cannot be used (No such file or directory): give the path of a certificate',
        ),
    ],
)
def test_settings_that_cannot_work(cli: Cli, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(content)
    ended = cli("bh", "-C", file)
    assert (ended.status, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


def test_a_port_that_is_taken(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(POOL + PKTD + HANDLER.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        ended = cli("bh", "-C", file)
    assert ended.status == 2
    assert f'bind = "127.0.0.1:{port}": cannot listen there' in ended.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_handler_whose_master_is_silent_can_be_stopped(
    tmp_path: Path, number: signal.Signals
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        master = f"127.0.0.1:{silent.getsockname()[1]}"
        file = tmp_path / "pool.toml"
        file.write_text(POOL.replace("127.0.0.1:9", master) + PKTD + HANDLER)
        with LoggedProcess(COMMAND, "bh", "-C", file) as handler:
            asked, _ = silent.accept()
            assert handler.stop(number) == 130
            asked.close()
    assert handler.lines[-1] == "interrupted"


async def _start(file: Path) -> LoggedProcess:
    handler = LoggedProcess(COMMAND, "bh", "-C", file)
    await asyncio.to_thread(handler.wait_for, lambda line: "takes shares at" in line)
    return handler


async def _post(port: int, body: bytes) -> tuple[int, dict[str, Any]]:
    url = f"http://127.0.0.1:{port}/submit"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers={"x-pc-payto": PAY_TO}) as reply,
    ):
        return reply.status, await reply.json()


async def test_a_share_is_paid_once_across_kill_9(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "pool.toml"
    async with pktd_stand_in() as pktd, work_master(pktd.chain) as master, paymaker_stand_in() as p:
        url = master.config.master_url
        master.config = replace(master.config, paymaker_url=p.url)
        file.write_text(
            POOL.replace("http://127.0.0.1:9/master", url)
            + PKTD.replace("http://127.0.0.1:9", pktd.url)
            + HANDLER.replace("127.0.0.1:0", f"127.0.0.1:{port}")
        )
        share = mine_share(pktd.chain.work()).post.encode()
        killed = await _start(file)
        with killed:
            first = await _post(port, share)
            await asyncio.to_thread(killed.stop, signal.SIGKILL)
        with await _start(file) as handler:
            again = await _post(port, share)
            status = await asyncio.to_thread(handler.stop, signal.SIGTERM)

    assert (first[0], again[0], status) == (200, 200, 0)
    assert again[1]["result"] == first[1]["result"]
    assert again[1]["warn"] == ["duplicate share: it was credited before, and is credited once"]
    assert [event for event in p.events if event["type"] == "share"] == [first[1]["result"]]
    assert "block handler bh0 stops" in handler.lines[-2]
    assert not any("Traceback" in line for line in killed.lines + handler.lines)
