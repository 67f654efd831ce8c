"""What a block miner is answered, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from block_setup import PAY_TO, BlockLoopback, block_loopback
from block_shares import MinedShare, mine_share
from handler_setup import PostReply
from pktd_chain import PktdChain
from pktd_stand_in import Fault

from packetcrypt.handler import block_server
from packetcrypt.handler.block_server import BODY_LIMIT
from packetcrypt.handler.paylog import PayLog
from packetcrypt.protocol.share_messages import ShareReply

HEADERS = {"x-pc-payto": PAY_TO, "x-pc-sver": "1"}


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[BlockLoopback]:
    async with block_loopback(tmp_path) as pool:
        yield pool


@pytest.fixture(scope="module")
def mined() -> MinedShare:
    """Of the work that every new chain begins with."""
    return mine_share(PktdChain().work())


def _refused(reply: PostReply, status: int, text: str) -> None:
    """An error reply of the protocol's form, with one error that begins so."""
    assert reply.status == status
    assert (reply.body["result"], reply.body["warn"]) == ("", [])
    (error,) = reply.body["error"]
    assert error.startswith(text)


async def test_a_good_share(pool: BlockLoopback, mined: MinedShare) -> None:
    reply = await pool.post(mined)

    assert reply.status == 200
    assert set(reply.body) == {"warn", "error", "result"}
    assert reply.body["result"]["block"] is False
    assert "headerHash" not in reply.body["result"]


async def test_an_address_that_is_none_is_warned_about(
    pool: BlockLoopback, mined: MinedShare
) -> None:
    reply = await pool.post(mined, pay_to="somebody")

    assert (reply.status, reply.body["error"]) == (200, [])
    assert "'somebody' is not a PKT address" in reply.body["warn"][0]
    assert reply.body["result"]["payTo"] == "somebody"


async def test_without_an_address(pool: BlockLoopback, mined: MinedShare) -> None:
    reply = await pool.post_body(mined.post.encode(), {})

    _refused(reply, 400, "header x-pc-payto is missing")
    assert pool.pktd.count("checkpcshare") == 0


async def test_a_share_of_the_block_before(pool: BlockLoopback, mined: MinedShare) -> None:
    pool.chain.add_made_up_block()
    await pool.master.publish(pool.chain)
    await pool.master.told()

    reply = await pool.post(mined)

    old, new = mined.header.previous_hash.hex(), pool.work.header.previous_hash.hex()
    expected = f"Share is for wrong work, expecting previous hash [{new}] but got [{old}]"
    _refused(reply, 400, expected)
    assert pool.pktd.count("checkpcshare") == 0
    assert pool.handler.statistics.stale == 1


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 1 << 20])
async def test_a_body_that_is_too_long(pool: BlockLoopback, size: int) -> None:
    reply = await pool.post_body(bytes(size), HEADERS)

    _refused(reply, 400, "size above the limit of 65536 bytes")


async def test_a_body_that_is_just_short_enough_is_read(pool: BlockLoopback) -> None:
    _refused(await pool.post_body(b" " * BODY_LIMIT, HEADERS), 400, "share: not JSON")


async def test_a_body_that_does_not_come(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, request_timeout=0.2, idle_timeout=0.2) as pool:
        reader, writer = await asyncio.open_connection("127.0.0.1", pool.handler.port)
        writer.write(
            b"POST /submit HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nx-pc-payto: p\r\n\r\n{"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readuntil(b"}")
        writer.close()
        _refused(await pool.post_body(b"", HEADERS), 400, "share: not JSON")

    status = int(head.split()[1])
    _refused(PostReply(status, json.loads(body)), 408, "request timeout")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/submit", 405), ("POST", "/x", 404)]
)
async def test_what_there_is_not(pool: BlockLoopback, method: str, path: str, status: int) -> None:
    url = f"http://127.0.0.1:{pool.handler.port}{path}"
    async with pool.session.request(method, url) as response:
        reply = PostReply(response.status, await response.json())

    assert reply.status == status
    assert reply.body["result"] == ""


async def test_the_path_of_the_public_url_is_served_too(
    pool: BlockLoopback, mined: MinedShare
) -> None:
    url = f"http://127.0.0.1:{pool.handler.port}/bh0/submit"
    async with pool.session.post(url, data=mined.post.encode(), headers=HEADERS) as response:
        assert response.status == 200


async def test_a_share_that_is_none(pool: BlockLoopback, mined: MinedShare) -> None:
    proof = bytearray(mined.post.header_and_proof)
    proof[-10] ^= 1
    body = type(mined.post)(mined.post.coinbase_commit, bytes(proof)).encode()

    reply = await pool.post_body(body, HEADERS)

    assert reply.status == 400
    assert "pktd refused the share: rejected: PCP_" in reply.body["error"][0]
    assert pool.handler.statistics.rejected == 1


async def test_a_block_that_the_node_has(pool: BlockLoopback, mined: MinedShare) -> None:
    pool.pktd.faults["checkpcshare"] = Fault(error=(-1, "rejected: already have block 00ff"))

    _refused(await pool.post(mined), 409, "rejected: already have block 00ff")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(drops=True), "server not ready: its node does not answer"),
        (Fault(status=503, body=b"503 Too busy."), "server not ready: its node does not answer"),
        (Fault(body=b"<html>"), "server not ready: its node does not answer"),
        (Fault(error=(-28, "Loading")), "server not ready: its node cannot judge shares now"),
        (Fault(error=(-10, "Syncing")), "server not ready: its node cannot judge shares now"),
        (Fault(error=(-9, "Alone")), "server not ready: its node cannot judge shares now"),
        (Fault(error=(-32601, "no such")), "server not ready: its node cannot judge shares now"),
    ],
)
async def test_a_node_that_does_not_judge(
    pool: BlockLoopback,
    mined: MinedShare,
    fault: Fault,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool.pktd.once["checkpcshare"] = fault

    _refused(await pool.post(mined), 500, text)
    assert (await pool.post(mined)).status == 200

    assert pool.handler.statistics.failed == 1
    assert "shares are not credited: pktd at" in caplog.text


async def test_a_full_disk(
    pool: BlockLoopback, mined: MinedShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(PayLog, "append", full)
        _refused(await pool.post(mined), 500, "server not ready: its disk does not take")

    assert (await pool.post(mined)).body["warn"] == []


async def test_what_nobody_thought_of(
    pool: BlockLoopback,
    mined: MinedShare,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(block_server, "read_share", broken)
        _refused(await pool.post(mined), 500, "internal error: send the share again")

    assert "RuntimeError: a bug" in caplog.text
    caplog.clear()
    assert (await pool.post(mined)).status == 200


async def test_before_there_is_work(tmp_path: Path, mined: MinedShare) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.handler._follower.state = None
        pool.master.is_ready = False
        reply = await pool.post(mined)

    _refused(reply, 500, "server not ready")


async def test_more_shares_than_may_wait(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, input_queue_len=2) as pool:
        *taken, third = [mine_share(pool.work, nonce=nonce) for nonce in range(3)]
        pool.pktd.opened.clear()
        first = [_task(pool, share) for share in taken]
        await pool.pktd.asked("checkpcshare", 2)
        overloaded = await pool.post(third)
        pool.pktd.opened.set()
        replies = [await task for task in first]
        late = await pool.post(third)

    _refused(overloaded, 501, "overloaded")
    assert pool.handler.statistics.overloaded == 1
    assert [reply.status for reply in (*replies, late)] == [200, 200, 200]


async def test_the_node_gets_only_so_many_shares_at_the_same_time(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, node_calls=1) as pool:
        pool.pktd.opened.clear()
        posts = [_task(pool, mine_share(pool.work, nonce=nonce)) for nonce in range(3)]
        await pool.pktd.asked("checkpcshare")
        # The handler answers something else meanwhile, so that the other two have arrived.
        for _ in range(3):
            await pool.post_body(b"", HEADERS)
        under_way = pool.pktd.count("checkpcshare")
        pool.pktd.opened.set()
        replies = [await post for post in posts]

    assert under_way == 1
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert pool.pktd.count("checkpcshare") == 3


def _task(pool: BlockLoopback, share: MinedShare) -> "asyncio.Task[PostReply]":
    return asyncio.create_task(pool.post(share))


async def test_every_reply_is_what_the_protocol_reads(
    pool: BlockLoopback, mined: MinedShare
) -> None:
    url = f"http://127.0.0.1:{pool.handler.port}/submit"
    async with pool.session.post(url, data=mined.post.encode(), headers=HEADERS) as response:
        good = ShareReply.decode(await response.read())
    async with pool.session.post(url, data=b"", headers=HEADERS) as response:
        bad = ShareReply.decode(await response.read())

    assert good.result is not None
    assert good.result.pay_to == PAY_TO
    assert bad.result is None
    assert len(bad.errors) == 1
