"""How a share becomes a block: what the node is given, how often, and what the miner hears."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from block_setup import PAY_TO, BlockLoopback, block_loopback
from block_shares import MinedShare, made_up_announcements, mine_share
from pktd_chain import HEIGHT, PktdChain
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.json_rpc import RpcUnreachable
from packetcrypt.client.pktd import pktd_client
from packetcrypt.handler import block_submission
from packetcrypt.handler.block_share import Share, read_share
from packetcrypt.handler.block_state import BlockState
from packetcrypt.handler.block_submission import (
    SECONDS_BETWEEN,
    AlreadyHaveBlock,
    BlockSubmission,
    whole_block,
)
from packetcrypt.protocol.validation import AnnouncementCheck, CheckedAnnouncement


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[BlockLoopback]:
    async with block_loopback(tmp_path) as pool:
        yield pool


@pytest.fixture
async def pktd() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as pktd:
        yield pktd


@pytest.fixture(scope="module")
def mined() -> MinedShare:
    """A block of the work that every new chain begins with."""
    return mine_share(PktdChain().work(), is_block=True)


def _share(chain: PktdChain, mined: MinedShare) -> Share:
    state = BlockState(chain.work(), chain.template())
    return read_share(mined.post.encode(), PAY_TO, state, "")


async def test_a_block_is_submitted_taken_and_logged(
    pool: BlockLoopback, mined: MinedShare, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await pool.post(mined)

    assert (reply.status, reply.body["warn"]) == (200, [])
    shown = mined.header.block_hash[::-1].hex()
    assert reply.body["result"]["block"] is True
    assert reply.body["result"]["headerHash"] == shown
    assert (pool.chain.tip.hash, pool.chain.tip.height) == (mined.header.block_hash, HEIGHT)
    assert pool.pktd.count("submitblock") == 1
    assert pool.handler.statistics.blocks == 1
    assert f"the node took block {HEIGHT} {shown}" in caplog.text


async def test_a_block_with_signatures(tmp_path: Path) -> None:
    def any_is_valid(_: bytes, __: bytes) -> CheckedAnnouncement:
        return CheckedAnnouncement(AnnouncementCheck.OK, None)

    chain = PktdChain(announcement_check=any_is_valid)
    async with block_loopback(tmp_path, chain, private_seed="secret") as pool:
        announcements = made_up_announcements(HEIGHT - 3, "secret")
        reply = await pool.post(mine_share(pool.work, announcements, is_block=True))

    assert (reply.body["error"], reply.body["warn"]) == ([], [])
    assert reply.body["result"]["block"] is True
    assert chain.tip.height == HEIGHT


async def test_of_a_work_one_block_in_two_minutes(pktd: PktdStandIn, mined: MinedShare) -> None:
    pktd.faults["submitblock"] = Fault(error=(-1, "not now"))
    now = 1000.0
    async with pktd_client(pktd.settings) as client:
        submission = BlockSubmission(client, lambda: now)
        share = _share(pktd.chain, mined)

        assert await submission.submit(share) == "the node did not take the block: not now"
        now += SECONDS_BETWEEN - 1
        second = await submission.submit(share)
        assert second == "another block of this work was submitted 119 s ago"
        assert pktd.count("submitblock") == 1
        now += 1
        await submission.submit(share)

    assert pktd.count("submitblock") == 2


async def test_the_next_work_has_its_own_block_at_once(
    pktd: PktdStandIn, mined: MinedShare
) -> None:
    async with pktd_client(pktd.settings) as client:
        submission = BlockSubmission(client)
        assert await submission.submit(_share(pktd.chain, mined)) is None

        following = mine_share(pktd.chain.work(), is_block=True)
        assert await submission.submit(_share(pktd.chain, following)) is None

    assert pktd.chain.tip.height == HEIGHT + 1


async def test_a_second_block_of_one_work_is_a_share(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.pktd.once["submitblock"] = Fault(error=(-1, "bad-txns"))
        await pool.post(mined)
        reply = await pool.post(mine_share(pool.work, is_block=True, nonce=1))

    assert reply.status == 200
    assert reply.body["result"]["block"] is False
    assert "another block of this work was submitted" in reply.body["warn"][0]
    assert pool.pktd.count("submitblock") == 1


@pytest.mark.parametrize(
    ("fault", "warning"),
    [
        (Fault(error=(-1, "bad-txns")), "the node did not take the block: bad-txns"),
        (
            Fault(body=b'{"result":"bad-txns","error":null,"id":0}'),
            "the node did not say whether it took the block",
        ),
        (Fault(drops=True), "the node did not say whether it took the block"),
    ],
)
async def test_a_block_that_is_not_taken_is_a_share_all_the_same(
    pool: BlockLoopback,
    mined: MinedShare,
    fault: Fault,
    warning: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool.pktd.faults["submitblock"] = fault

    reply = await pool.post(mined)

    assert (reply.status, reply.body["warn"]) == (200, [warning])
    assert reply.body["result"]["block"] is False
    assert "headerHash" not in reply.body["result"]
    assert pool.pktd.count("submitblock") == 1
    assert "lost: pktd at" in caplog.text


async def test_a_node_that_is_busy_for_a_moment_gets_the_block(
    pool: BlockLoopback, mined: MinedShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_submission, "_SECONDS_BETWEEN_TRIES", 0.01)
    pool.pktd.once["submitblock"] = Fault(status=503, body=b"503 Too busy.")

    reply = await pool.post(mined)

    assert reply.body["result"]["block"] is True
    assert pool.pktd.count("submitblock") == 2


async def test_a_node_that_is_away_for_a_moment_gets_the_block(
    pktd: PktdStandIn, mined: MinedShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_submission, "_SECONDS_BETWEEN_TRIES", 0.01)
    async with pktd_client(pktd.settings) as client:
        submit_block = client.submit_block

        async def away_at_first(block: bytes) -> None:
            monkeypatch.setattr(client, "submit_block", submit_block)
            raise RpcUnreachable("no connection")

        monkeypatch.setattr(client, "submit_block", away_at_first)
        problem = await BlockSubmission(client).submit(_share(pktd.chain, mined))

    assert problem is None
    assert pktd.chain.tip.height == HEIGHT


async def test_a_node_that_stays_busy_is_not_asked_for_ever(
    pool: BlockLoopback, mined: MinedShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_submission, "_SECONDS_BETWEEN_TRIES", 0.01)
    pool.pktd.faults["submitblock"] = Fault(status=503, body=b"503 Too busy.")

    reply = await pool.post(mined)

    assert reply.body["warn"] == ["the node did not say whether it took the block"]
    assert pool.pktd.count("submitblock") == 5


async def test_a_block_that_the_node_has(pool: BlockLoopback, mined: MinedShare) -> None:
    pool.pktd.faults["submitblock"] = Fault(error=(-1, "rejected: already have block"))

    reply = await pool.post(mined)

    assert (reply.status, reply.body["result"]) == (409, "")
    assert reply.body["error"] == ["rejected: already have block"]


async def test_that_a_block_is_known_is_told_apart(pktd: PktdStandIn, mined: MinedShare) -> None:
    share = _share(pktd.chain, mined)
    pktd.chain.submit_block(whole_block(share))
    async with pktd_client(pktd.settings) as client:
        with pytest.raises(AlreadyHaveBlock, match="rejected: already have block"):
            await BlockSubmission(client).submit(share)


async def test_two_blocks_at_the_same_time_are_one_submission(
    pktd: PktdStandIn, mined: MinedShare
) -> None:
    first = _share(pktd.chain, mined)
    second = _share(pktd.chain, mine_share(pktd.chain.work(), is_block=True, nonce=1))
    async with pktd_client(pktd.settings) as client:
        submission = BlockSubmission(client)
        answers = await asyncio.gather(submission.submit(first), submission.submit(second))

    assert answers == [None, "another block of this work was submitted 0 s ago"]
    assert pktd.count("submitblock") == 1
