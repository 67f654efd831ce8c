"""A whole pool and its chain under one command: blocks are mined, paid for, and summed up truly."""

import asyncio
import json
import re
import signal
import subprocess
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from command_line import COMMAND
from pool_processes import LoggedProcess

from packetcrypt.client.pktd import PktdClient, PktdSettings, pktd_client
from packetcrypt.pool.devnet_settings import ANNOUNCEMENT_MINER, BLOCK_MINER

TWO_BLOCKS = ("--blocks", "2", "--json", "--handlers", "2", "--device", "cpu")
SERVICES = {"devchain", "paymaker", "master", "ah0", "ah1", "bh0", "ann", "blk"}


@contextmanager
def devnet(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command, running, with its log on a file."""
    with (
        (folder.parent / "devnet.err").open("w+") as log,
        subprocess.Popen(
            [COMMAND, "devnet", "--folder", folder, *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
            print(Path(log.name).read_text())  # shown by pytest if the test fails


def log_of(folder: Path) -> str:
    return (folder.parent / "devnet.err").read_text()


def process_ids(folder: Path) -> Mapping[str, int]:
    services = json.loads((folder / "devnet.json").read_text())["services"]
    return {name: entry["pid"] for name, entry in services.items()}


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@asynccontextmanager
async def chain_of(folder: Path) -> AsyncIterator[PktdClient]:
    """Started again with the file that the devnet left: its blocks as others see them."""
    settings = tomllib.loads((folder / "pool.toml").read_text())["pktd"]
    with LoggedProcess(COMMAND, "devchain", "-C", folder / "pool.toml") as chain:
        await asyncio.to_thread(chain.wait_for, lambda line: "answers at" in line)
        async with pktd_client(PktdSettings(**settings)) as node:
            yield node
        await asyncio.to_thread(chain.stop)


async def test_two_blocks_and_a_true_summary(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    with devnet(folder, *TWO_BLOCKS) as process:
        out, _ = process.communicate(timeout=280)
        assert process.returncode == 0
    summary = json.loads(out.splitlines()[-1])
    blocks, payouts = summary["blocks"], summary["payouts"]
    assert len(blocks) == len(payouts) == 2
    assert [block["finder"] for block in blocks] == [BLOCK_MINER, BLOCK_MINER]
    # The chain may make up a block in between: shares say that the target is far off, or none came.
    assert blocks[1]["height"] > blocks[0]["height"]
    assert summary["announcements"]["accepted"] > 0
    assert summary["shares"]["accepted"] >= 2
    second = payouts[1]["paid"]
    assert second.get(ANNOUNCEMENT_MINER, 0) + second.get(BLOCK_MINER, 0) > 0.5
    assert sum(second.values()) == pytest.approx(1.0)

    async with chain_of(folder) as node:
        for block, payout in zip(blocks, payouts, strict=True):
            on_chain = await node.block(bytes.fromhex(block["hash"])[::-1])
            assert on_chain.height == block["height"] == payout["height"]
            total = sum(payment.value for payment in on_chain.payments)
            paid = {payment.address: payment.value / total for payment in on_chain.payments}
            assert paid == pytest.approx(payout["paid"])

    log = log_of(folder)
    assert "Traceback" not in log
    # Both handlers had their part of the announcements.
    for name in ("ah0", "ah1"):
        counts = re.findall(rf" {name} +accepted ([0-9]+) ", log)
        assert sum(map(int, counts)) > 0
    assert process_ids(folder).keys() == SERVICES
    assert not any(map(is_alive, process_ids(folder).values()))


def test_ctrl_c_stops_all_and_sums_up(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    with devnet(folder, "--device", "cpu") as process:
        wait_for(process, folder, "all services run; the pool page is at http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    assert re.search(r"^blocks +[0-9]+$", out, re.MULTILINE)
    assert "Traceback" not in log_of(folder)
    assert not any(map(is_alive, process_ids(folder).values()))
    assert (folder / "pool.toml").stat().st_mode & 0o777 == 0o600


def wait_for(process: subprocess.Popen[str], folder: Path, text: str) -> None:
    """Until the log says so; a devnet that ends before does not."""
    while text not in log_of(folder):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
