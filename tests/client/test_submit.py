"""Where announcements go, depending on what the handler answers."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from scripted_pool import ReceivedPost, ScriptedPool, announcements, reply_to

from packetcrypt.client.submit import PostOutcome, post_announcements
from packetcrypt.protocol.pool_messages import AnnouncementPostHeaders, AnnouncementPostReply

HEADERS = AnnouncementPostHeaders("pkt1qexample", 200_001)
BODY = announcements(5)[0].tobytes()


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool() as pool:
        yield pool


async def post_to(pool: ScriptedPool, timeout_s: float = 30) -> PostOutcome:
    async with aiohttp.ClientSession() as session:
        return await post_announcements(session, pool.handler_urls()[0], HEADERS, BODY, timeout_s)


def answering(body: bytes, status: int = 200) -> ScriptedPool:
    async def answer(_: ReceivedPost) -> web.Response:
        return web.Response(body=body, status=status)

    return ScriptedPool(on_post=answer)


async def test_body_and_headers_arrive(pool: ScriptedPool) -> None:
    await post_to(pool)
    assert pool.posts == [ReceivedPost(0, HEADERS, BODY)]


async def test_all_accepted(pool: ScriptedPool) -> None:
    assert await post_to(pool) == PostOutcome(accepted=5)


@pytest.mark.parametrize("accepted", [0, 3])
async def test_what_is_not_accepted_is_rejected(pool: ScriptedPool, accepted: int) -> None:
    async def some(post: ReceivedPost) -> web.Response:
        return reply_to(post, accepted)

    pool.on_post = some
    outcome = await post_to(pool)
    assert (outcome.accepted, outcome.rejected) == (accepted, 5 - accepted)
    assert outcome.complaint is not None
    assert f"{5 - accepted} of 5 announcements were not accepted" in outcome.complaint


@pytest.mark.parametrize("accepted", [6, 4_000_000_000])
async def test_more_accepted_than_sent_is_not_believed(pool: ScriptedPool, accepted: int) -> None:
    body = reply_to(ReceivedPost(0, HEADERS, BODY * 2), 6).body
    assert isinstance(body, bytes)
    async with answering(body.replace(b'"accepted": 6', b'"accepted": %d' % accepted)) as liar:
        outcome = await post_to(liar)
    assert (outcome.accepted, outcome.lost) == (0, 5)


@pytest.mark.parametrize("status", [400, 200])
async def test_an_error_without_a_result_rejects_all(status: int) -> None:
    reply = AnnouncementPostReply(None, errors=("block number out of range, expect 2 got 1",))
    async with answering(reply.encode(), status) as pool:
        outcome = await post_to(pool)
    assert outcome.rejected == 5
    assert outcome.complaint is not None
    assert outcome.complaint.endswith("block number out of range, expect 2 got 1")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (AnnouncementPostReply(None, errors=("overloaded",)).encode(), 503),
        (AnnouncementPostReply(None, errors=("overloaded",)).encode(), 200),
        (AnnouncementPostReply(None, errors=("no room",)).encode(), 503),
        (b"<html>Service Unavailable</html>", 503),
    ],
)
async def test_overloaded(body: bytes, status: int) -> None:
    async with answering(body, status) as pool:
        outcome = await post_to(pool)
    assert (outcome.overloaded, outcome.lost) == (5, 0)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500, 502])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"warn": [], "error": 1}', b"\xff"])
async def test_nonsense_is_lost(body: bytes, status: int) -> None:
    async with answering(body, status) as pool:
        outcome = await post_to(pool)
    assert outcome.lost == 5
    assert outcome.complaint is not None
    assert "nothing that a handler says" in outcome.complaint


async def test_silence_is_lost(pool: ScriptedPool) -> None:
    async def never(_: ReceivedPost) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    pool.on_post = never
    outcome = await post_to(pool, timeout_s=0.05)
    assert outcome.lost == 5


async def test_a_dead_handler_is_lost(pool: ScriptedPool) -> None:
    await pool.stop()
    assert (await post_to(pool)).lost == 5


async def test_control_characters_of_errors_do_not_reach_logs() -> None:
    reply = AnnouncementPostReply(None, errors=("\x1b[2J\r\nfake line",) * 100)
    async with answering(reply.encode(), 400) as pool:
        outcome = await post_to(pool)
    assert outcome.complaint is not None
    assert outcome.complaint.isprintable()
    assert len(outcome.complaint) < 400


async def test_what_a_result_accepts_counts_whatever_the_errors_say() -> None:
    reply = json.loads(bytes(reply_to(ReceivedPost(0, HEADERS, BODY), 3).body))
    reply["error"] = ["overloaded"]
    async with answering(json.dumps(reply).encode(), 503) as pool:
        outcome = await post_to(pool)
    assert (outcome.accepted, outcome.rejected, outcome.overloaded) == (3, 2, 0)
