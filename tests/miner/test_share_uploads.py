"""Shares reach the right handler over real HTTP, and are tried again while that makes sense."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from block_miner_parts import made_share

from packetcrypt.client.complaints import Complaints
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.miner.block_log_line import ShareCounts
from packetcrypt.miner.share_uploads import QUEUE_LIMIT, ShareUploads
from packetcrypt.protocol.block_proof import decode_proof_sections
from packetcrypt.protocol.share_messages import (
    SharePost,
    ShareReply,
    ShareResult,
    share_event_id,
    share_handler,
)


def accepted(*, block: bool = False) -> web.Response:
    result = ShareResult(
        pay_to="pkt1q",
        block=block,
        time=1,
        event_id="00" * 16,
        target=1,
        ann_count=1,
        ann_target=1,
        encryptions=1,
    )
    return web.Response(body=ShareReply(result).encode())


def refused(status: int, error: str) -> web.Response:
    return web.Response(body=ShareReply(None, errors=(error,)).encode(), status=status)


@dataclass
class Handlers:
    """Block handlers; each post gets the next of `answers`, at last an acceptance."""

    answers: list[Callable[[], web.Response]] = field(default_factory=list)
    posts: list[tuple[int, SharePost]] = field(default_factory=list)

    async def submit(self, request: web.Request) -> web.Response:
        share = SharePost.decode(await request.text())
        self.posts.append((int(request.match_info["number"]), share))
        return self.answers.pop(0)() if self.answers else accepted()


@asynccontextmanager
async def uploading(
    handlers: Handlers,
    count: int = 1,
    is_current: Callable[[FoundShare], bool] = lambda _: True,
) -> AsyncIterator[ShareUploads]:
    """Uploads that are done when the context is left."""
    application = web.Application()
    application.router.add_post("/{number}/submit", handlers.submit)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        complaints = Complaints(logging.getLogger(__name__))
        uploads = ShareUploads(session, "pkt1q", 2, 30.0, is_current, complaints, retry_s=0.01)
        uploads.set_handlers(tuple(str(server.make_url(f"/{n}/submit")) for n in range(count)))
        running = asyncio.create_task(uploads.run())
        yield uploads
        uploads.close()
        async with asyncio.timeout(30):
            await running


async def test_a_share_arrives_as_it_was_found() -> None:
    handlers, share = Handlers(), made_share(low_nonce=77)
    async with uploading(handlers) as uploads:
        uploads.add(share)
    [(_, post)] = handlers.posts
    assert post.coinbase_commit == share.commitment
    assert post.header_and_proof[:80] == share.header
    proof, signatures, _ = decode_proof_sections(post.header_and_proof[80:], end=False)
    assert (proof, signatures) == (share.proof, ())
    assert uploads.counts == ShareCounts(accepted=1)


async def test_every_share_goes_to_its_own_handler() -> None:
    handlers, shares = Handlers(), [made_share(low_nonce=n) for n in range(20)]
    async with uploading(handlers, count=3) as uploads:
        for share in shares:
            uploads.add(share)
    wanted = {
        share_event_id(share.header, share.proof.low_nonce): share_handler(
            share.header, share.proof.low_nonce, 3
        )
        for share in shares
    }
    assert len(set(wanted.values())) == 3
    for number, post in handlers.posts:
        proof, _, _ = decode_proof_sections(post.header_and_proof[80:], end=False)
        assert number == wanted[share_event_id(post.header_and_proof[:80], proof.low_nonce)]
    assert uploads.counts == ShareCounts(accepted=20)


async def test_a_block_is_counted() -> None:
    async with uploading(Handlers([lambda: accepted(block=True)])) as uploads:
        uploads.add(made_share())
    assert uploads.counts == ShareCounts(accepted=1, blocks=1)


@pytest.mark.parametrize("status", [500, 501, 503])
async def test_an_overloaded_handler_is_asked_again(status: int) -> None:
    handlers = Handlers([lambda: refused(status, "overloaded")] * 2)
    async with uploading(handlers) as uploads:
        uploads.add(made_share())
    assert (len(handlers.posts), uploads.counts) == (3, ShareCounts(accepted=1))


async def test_a_refused_share_is_not_tried_again() -> None:
    handlers = Handlers([lambda: refused(400, "Share is for wrong work")])
    async with uploading(handlers) as uploads:
        uploads.add(made_share())
    assert (len(handlers.posts), uploads.counts) == (1, ShareCounts(rejected=1))


async def test_a_share_of_old_work_is_not_sent() -> None:
    handlers = Handlers()
    async with uploading(handlers, is_current=lambda _: False) as uploads:
        uploads.add(made_share())
    assert (handlers.posts, uploads.counts) == ([], ShareCounts(lost=1))


async def test_trying_again_ends_with_the_work() -> None:
    handlers = Handlers([lambda: refused(503, "overloaded")] * 1000)
    async with uploading(handlers, is_current=lambda _: len(handlers.posts) < 3) as uploads:
        uploads.add(made_share())
    assert (len(handlers.posts), uploads.counts) == (3, ShareCounts(lost=1))


async def test_shares_wait_for_a_pool_without_block_handlers() -> None:
    handlers = Handlers()
    async with uploading(handlers) as uploads:
        urls = uploads._handlers
        uploads.set_handlers(())
        uploads.add(made_share())
        await asyncio.sleep(0.05)
        assert uploads.counts == ShareCounts()
        uploads.set_handlers(urls)
    assert uploads.counts == ShareCounts(accepted=1)


async def test_too_many_shares_drop_the_oldest(caplog: pytest.LogCaptureFixture) -> None:
    handlers = Handlers()
    async with uploading(handlers) as uploads:
        for number in range(QUEUE_LIMIT + 5):
            uploads.add(made_share(low_nonce=number))
    assert uploads.counts == ShareCounts(accepted=QUEUE_LIMIT, lost=5)
    assert "shares are found faster than they are taken" in caplog.text


async def test_cancelling_counts_what_is_under_way_as_lost() -> None:
    handlers = Handlers([lambda: refused(503, "overloaded")] * 1000)
    async with aiohttp.ClientSession() as session:
        complaints = Complaints(logging.getLogger(__name__))
        uploads = ShareUploads(session, "pkt1q", 1, 30.0, lambda _: True, complaints, retry_s=9)
        uploads.set_handlers(("http://127.0.0.1:1/submit",))
        uploads.add(made_share())
        running = asyncio.create_task(uploads.run())
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.wait([running])
    assert (handlers.posts, uploads.counts) == ([], ShareCounts(lost=1))
