"""A whole pool on loopback, every service a process of its own: blocks are mined and accepted.

    ann ──▶ ah ──▶ blk ──▶ bh ──▶ node
             └── HTTP or UDP
The node is a stand-in that checks every share and block by the plain protocol.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from command_line import COMMAND, PAYMENT_ADDRESS
from pktd_chain import PktdChain
from pktd_stand_in import PASSWORD, USER, PktdStandIn, pktd_stand_in
from pool_processes import LoggedProcess, free_port

from packetcrypt.pool.share_work import share_target
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact

BLOCKS = 2
"""blocks to be found, the second on top of the first"""

ANN_TARGET = 0x2000FFFF
BLOCK_BITS = target_to_compact(target_of_work(2_000_000))
DIVISOR = 2
"""With some thousand announcements of difficulty 256 a share takes a second, which the node needs
to check it in plain Python too, and a block eight times as long."""

FIRST_HEIGHT = 1_000_000
HANDLER_WORD, SPRAYER_WORD = "for block miners", "for subscribers"


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    chain = PktdChain(
        first_height=FIRST_HEIGHT,
        block_bits=BLOCK_BITS,
        share_target=share_target(BLOCK_BITS, DIVISOR),
    )
    for _ in range(8):
        chain.add_made_up_block()
    async with pktd_stand_in(chain) as node:
        yield node


class Pool:
    """The services' settings, and their processes as they are started."""

    def __init__(self, folder: Path, node: PktdStandIn, stack: ExitStack) -> None:
        self._stack = stack
        self.processes: list[LoggedProcess] = []
        self.folder = folder
        self.master, ah, bh, self.sprayer = (free_port() for _ in range(4))
        self.settings = folder / "pool.toml"
        self.settings.write_text(f"""\
master_url = "{self.url}"
root_workdir = "{folder}"
paymaker_http_password = "loopback"

[pktd]
url = "{node.url}"
user = "{USER}"
password = "{PASSWORD}"

[master]
bind = "127.0.0.1:{self.master}"
paymaker_url = "http://127.0.0.1:9/paymaker"
ann_target = {ANN_TARGET}
mine_old_anns = 2
share_work_divisor = {DIVISOR}
poll_interval = 0.2

[ann_handler.ah0]
public_url = "http://127.0.0.1:{ah}"
bind = "127.0.0.1:{ah}"
devices = "cpu"
poll_interval = 0.5
file_seconds = 1
block_miner_passwd = "{HANDLER_WORD}"

[ann_handler.ah0.sprayer]
passwd = "{SPRAYER_WORD}"
bind = "127.0.0.1:{self.sprayer}"

[block_handler.bh0]
public_url = "http://127.0.0.1:{bh}"
bind = "127.0.0.1:{bh}"
poll_interval = 0.2
""")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.master}"

    def start(self, *command: str | Path) -> LoggedProcess:
        self.processes.append(self._stack.enter_context(LoggedProcess(COMMAND, *command)))
        return self.processes[-1]

    def events(self) -> list[dict[str, object]]:
        """What the handlers would be paid for, as far as it is in their pay logs."""
        logs = self.folder.glob("*/paylogs/*")
        return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


@pytest.fixture
def pool(tmp_path: Path, node: PktdStandIn) -> Iterator[Pool]:
    with ExitStack() as stack:
        pool = Pool(tmp_path, node, stack)
        yield pool
    for process in pool.processes:  # shown by pytest if the test fails
        print(*process.lines, sep="\n")


async def said(process: LoggedProcess, text: str) -> None:
    await asyncio.to_thread(process.wait_for, lambda line: text in line)


async def blocks_found(node: PktdStandIn, count: int) -> None:
    """Wait until the chain has so many blocks that were mined here."""
    async with asyncio.timeout(300):
        while len(node.chain.blocks) < 9 + count:  # noqa: ASYNC110 - they come over HTTP
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("transport", ["http", "udp"])
async def test_blocks_are_found_and_paid_for(pool: Pool, node: PktdStandIn, transport: str) -> None:
    master = pool.start("master", "-C", pool.settings)
    await said(master, "master answers at")
    handlers = [pool.start(kind, "-C", pool.settings) for kind in ("ah", "bh")]
    await said(handlers[0], "takes announcements at")
    await said(handlers[1], "takes shares at")
    ann = pool.start("ann", "-p", PAYMENT_ADDRESS, "-t", "1", "--device", "cpu", pool.url)
    how = {
        "http": ["-P", HANDLER_WORD],
        "udp": ["-P", SPRAYER_WORD, "-s", f"127.0.0.1:{pool.sprayer}"],
    }
    blk = pool.start(
        *("blk", "-p", PAYMENT_ADDRESS, "-t", "1", "--device", "cpu", "-m", "16"),
        *(*how[transport], pool.url),
    )
    await blocks_found(node, BLOCKS)

    statuses = [
        await asyncio.to_thread(process.stop, signal.SIGTERM)
        for process in (blk, ann, *handlers, master)
    ]
    assert statuses == [0, 0, 0, 0, 0]
    if transport == "udp":
        assert any("block miner password" in line for line in blk.lines)
    reports = [line for line in blk.lines if "shr: " in line]
    accepted = [int(line.split("shr: ")[1].split("/")[0]) for line in reports]
    assert sum(accepted) >= BLOCKS
    shares = [event for event in pool.events() if event["type"] == "share"]
    assert len(shares) == sum(accepted)
    assert sum(bool(event["block"]) for event in shares) >= BLOCKS
    assert len({event["eventId"] for event in shares}) == len(shares)
    refusals = [line for line in blk.lines if " answered 4" in line and "/submit" in line]
    # A share may be on its way when a block makes it worthless, one of the same header among them;
    # no other is refused.
    reasons = ("bad-height", "wrong work", "already have block")
    assert all(any(reason in line for reason in reasons) for line in refusals), refusals
    for process in (blk, ann, *handlers, master):
        assert not any("Traceback" in line for line in process.lines), process.lines
