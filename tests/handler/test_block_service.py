"""A block handler from end to end: real HTTP, real shares, a node that really checks them."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from block_setup import (
    PAY_TO,
    block_handler_settings,
    block_loopback,
    work_master,
)
from block_shares import mine_share
from log_watch import LogWatch
from pktd_chain import HEIGHT, SHARE_TARGET, PktdChain
from pktd_stand_in import pktd_stand_in
from pool_processes import free_port

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_service import running_block_handler
from packetcrypt.handler.workdir import WorkDir
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.share_messages import encryptions_of_share, share_event_id

UNREACHABLE = PktdSettings(url="http://127.0.0.1:1", user="u", password="p")


@pytest.fixture
def log() -> Iterator[LogWatch]:
    """What the handler logs."""
    watch = LogWatch()
    logger = logging.getLogger("packetcrypt.handler")
    logger.addHandler(watch)
    yield watch
    logger.removeHandler(watch)


async def test_a_share_is_judged_by_the_node_credited_and_uploaded(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        share = mine_share(pool.work)
        reply = await pool.post(share)

    result = reply.body["result"]
    assert (reply.status, reply.body["warn"], reply.body["error"]) == (200, [], [])
    assert pool.pktd.count("checkpcshare") == 1
    assert pool.pktd.count("submitblock") == 0
    assert pool.events("share") == [result]
    assert result.pop("time") > 0
    assert result == {
        "type": "share",
        "payTo": PAY_TO,
        "block": False,
        "eventId": share_event_id(share.header.encode(), share.proof.low_nonce),
        "target": SHARE_TARGET,
        "annCount": "6",
        "annMinWork": share.commitment.max_target,
        "encryptions": encryptions_of_share(SHARE_TARGET, share.commitment),
    }


async def test_two_blocks_one_after_the_other(tmp_path: Path, log: LogWatch) -> None:
    async with block_loopback(tmp_path) as pool:
        await log.until(lambda line: f"the chain has block {HEIGHT - 1} " in line)
        first = await pool.post(mine_share(pool.work, is_block=True))
        await pool.master.publish(pool.chain)
        await log.until(lambda line: line.startswith(f"block {HEIGHT + 1} is mined, after "))
        second = await pool.post(mine_share(pool.work, is_block=True))
        await log.until(lambda line: f"the chain has block {HEIGHT + 1} " in line)

    found = [reply.body["result"]["headerHash"] for reply in (first, second)]
    assert [block.hash[::-1].hex() for block in pool.chain.blocks[-2:]] == found
    assert [event["hash"] for event in pool.events("block")][-2:] == found
    assert [event["height"] for event in pool.events("block")] == [HEIGHT - 1, HEIGHT, HEIGHT + 1]
    assert [event["block"] for event in pool.events("share")] == [True, True]


async def test_the_next_work_is_waited_for(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        await pool.master.long_polled()
        pool.chain.add_made_up_block()
        await pool.master.publish(pool.chain)
        await pool.master.told()
        reply = await pool.post(mine_share(pool.work))

    assert reply.status == 200


async def test_two_handlers_log_a_block_under_one_id(tmp_path: Path, log: LogWatch) -> None:
    chain = PktdChain()
    ids = []
    for name in ("bh0", "bh1"):
        async with block_loopback(tmp_path, chain, name=name) as pool:
            await log.until(lambda line: f"the chain has block {HEIGHT - 1} " in line)
            log.messages.clear()
        ids.append([event["eventId"] for event in pool.events("block")])

    assert ids[0] == ids[1] == [chain.tip.hash[::-1].hex()[:32]]


async def test_a_node_that_is_down_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    down = PktdSettings(url=f"http://127.0.0.1:{free_port()}", user="u", password="p")
    async with block_loopback(tmp_path, pktd=down) as pool:
        await pool.master.told()
        reply = await pool.post(mine_share(pool.work))

    assert reply.status == 500
    assert reply.body["error"] == [
        "server not ready: its node does not answer, send the share again"
    ]
    assert f"pktd at {down.url} did not answer getbestblockhash: no connection" in caplog.text


async def test_a_master_that_is_down_is_waited_for(tmp_path: Path) -> None:
    chain = PktdChain()
    share = mine_share(chain.work())
    async with pktd_stand_in(chain) as pktd, work_master(chain) as master:
        master.is_ready = False
        settings = block_handler_settings(tmp_path, master.config.master_url, pktd.settings)
        async with running_block_handler(settings) as handler, aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{handler.port}/submit"

            async def status() -> int:
                headers = {"x-pc-payto": PAY_TO}
                async with session.post(url, data=share.post.encode(), headers=headers) as reply:
                    return reply.status

            before = await status()
            master.is_ready = True
            await master.told()
            after = await status()

    assert (before, after) == (500, 200)


async def test_a_folder_has_one_user(tmp_path: Path) -> None:
    settings = block_handler_settings(tmp_path, "http://127.0.0.1:1", UNREACHABLE)
    with WorkDir(settings.workdir), pytest.raises(ConfigError, match="in use by another running"):
        async with running_block_handler(settings):
            pass


async def test_a_handler_keeps_no_folder_for_announcements(tmp_path: Path) -> None:
    settings = block_handler_settings(tmp_path, "http://127.0.0.1:1", UNREACHABLE)
    async with running_block_handler(settings):
        assert {path.name for path in settings.workdir.iterdir()} == {"lock", "paylogs"}


async def test_a_port_that_is_taken_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = block_handler_settings(tmp_path, "http://127.0.0.1:1", UNREACHABLE, bind=bind)
        with pytest.raises(ConfigError, match="cannot listen there"):
            async with running_block_handler(settings):
                pass

    with WorkDir(settings.workdir):
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_the_statistics_line(tmp_path: Path, log: LogWatch) -> None:
    async with block_loopback(tmp_path, statistics_interval=0.05) as pool:
        await pool.post(mine_share(pool.work))
        await log.until(lambda line: line.startswith("shares 1 (20.0/s) blocks 0 dup 0"))
