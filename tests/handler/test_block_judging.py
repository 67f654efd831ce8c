"""That a share is credited once: sent again, sent twice at once, and after a restart."""

import asyncio
from pathlib import Path

import pytest
from block_setup import PAY_TO, block_loopback
from block_shares import MinedShare, mine_share
from pktd_chain import PktdChain
from pktd_stand_in import Fault

from packetcrypt.handler.block_judging import DUPLICATE


@pytest.fixture(scope="module")
def mined() -> MinedShare:
    return mine_share(PktdChain().work())


async def test_a_share_that_comes_again_is_not_paid_again(
    tmp_path: Path, mined: MinedShare
) -> None:
    async with block_loopback(tmp_path) as pool:
        first = await pool.post(mined)
        again = await pool.post(mined)

    assert (again.status, again.body["warn"], again.body["error"]) == (200, [DUPLICATE], [])
    assert again.body["result"] == first.body["result"]
    assert pool.events("share") == [first.body["result"]]
    assert pool.pktd.count("checkpcshare") == 1
    assert (pool.handler.statistics.accepted, pool.handler.statistics.duplicates) == (1, 1)


async def test_nobody_is_paid_for_the_share_of_another(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        await pool.post(mined)
        stolen = await pool.post(mined, pay_to="pkt1qthief")

    assert stolen.body["result"]["payTo"] == PAY_TO
    assert [event["payTo"] for event in pool.events("share")] == [PAY_TO]


async def test_two_at_the_same_time_are_paid_once(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.pktd.opened.clear()
        posts = [asyncio.create_task(pool.post(mined)) for _ in range(3)]
        await pool.pktd.asked("checkpcshare")
        await asyncio.sleep(0.1)  # time for the node to be asked again, if it were
        pool.pktd.opened.set()
        replies = [await post for post in posts]

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert sorted(reply.body["warn"] for reply in replies) == [[], [DUPLICATE], [DUPLICATE]]
    assert len(pool.events("share")) == 1
    assert pool.pktd.count("checkpcshare") == 1


async def test_a_block_that_comes_again_while_the_node_takes_it_is_logged_as_a_block(
    tmp_path: Path,
) -> None:
    async with block_loopback(tmp_path) as pool:
        block = mine_share(pool.work, is_block=True)
        pool.pktd.faults["submitblock"] = Fault(delay=0.5)
        first = asyncio.create_task(pool.post(block))
        await pool.pktd.asked("submitblock")
        again = await pool.post(block)

    reply = await first
    assert (reply.body["result"]["block"], reply.body["warn"]) == (True, [])
    assert (again.body["result"], again.body["warn"]) == (reply.body["result"], [DUPLICATE])
    assert pool.events("share") == [reply.body["result"]]


async def test_after_a_restart_it_is_not_paid_again(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.paymaker.answer = "internal error"
        first = await pool.post(mined)

    async with block_loopback(tmp_path) as pool:
        again = await pool.post(mined)

    assert again.body["warn"] == [DUPLICATE]
    assert again.body["result"] == first.body["result"]
    assert pool.events("share") == [first.body["result"]]
    assert pool.pktd.count("checkpcshare") == 0


async def test_what_was_refused_is_judged_anew(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.pktd.once["checkpcshare"] = Fault(error=(-1, "not in this mood"))
        refused = await pool.post(mined)
        reply = await pool.post(mined)

    assert (refused.status, reply.status) == (400, 200)
    assert refused.body["error"] == ["pktd refused the share: not in this mood"]
    assert len(pool.events("share")) == 1


async def test_another_nonce_is_another_share(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        await pool.post(mined)
        await pool.post(mine_share(pool.work, nonce=1))

    events = pool.events("share")
    assert len({event["eventId"] for event in events}) == len(events) == 2


async def test_stopping_finishes_shares_that_were_taken_in(
    tmp_path: Path, mined: MinedShare
) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.pktd.opened.clear()
        post = asyncio.create_task(pool.post(mined))
        await pool.pktd.asked("checkpcshare")
        asyncio.get_running_loop().call_later(0.1, pool.pktd.opened.set)

    reply = await post
    assert reply.status == 200
    assert pool.events("share") == [reply.body["result"]]


async def test_stopping_does_not_wait_for_ever(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path, shutdown_timeout=0.2) as pool:
        pool.pktd.opened.clear()
        post = asyncio.create_task(pool.post(mined))
        await pool.pktd.asked("checkpcshare")
        asyncio.get_running_loop().call_later(0.5, pool.pktd.opened.set)

    reply = await post
    assert (reply.status, reply.body["error"]) == (501, ["overloaded"])
    assert pool.events("share") == []
