"""Shares reach the right handler over real HTTP, and are tried again while that makes sense."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice

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
    """Block handlers; each post gets the next of `answers`, at last an acceptance.

    hanging : number of the one that never answers
    """

    answers: list[Callable[[], web.Response]] = field(default_factory=list)
    posts: list[tuple[int, SharePost]] = field(default_factory=list)
    hanging: int | None = None

    async def submit(self, request: web.Request) -> web.Response:
        share = SharePost.decode(await request.text())
        number = int(request.match_info["number"])
        self.posts.append((number, share))
        if number == self.hanging:
            await asyncio.sleep(3600)
        return self.answers.pop(0)() if self.answers else accepted()


@asynccontextmanager
async def uploading(
    handlers: Handlers,
    count: int = 1,
    is_current: Callable[[FoundShare], bool] = lambda _: True,
    *,
    uploaders: int = 2,
    retry_s: float = 0.01,
) -> AsyncIterator[ShareUploads]:
    """Uploads that are done when the context is left."""
    application = web.Application()
    application.router.add_post("/{number}/submit", handlers.submit)
    server = TestServer(application, handler_cancellation=True, shutdown_timeout=0.1)
    async with server, aiohttp.ClientSession() as session:
        complaints = Complaints(logging.getLogger(__name__))
        uploads = ShareUploads(session, "pkt1q", uploaders, 30.0, is_current, complaints, retry_s)
        uploads.set_handlers(tuple(str(server.make_url(f"/{n}/submit")) for n in range(count)))
        running = asyncio.create_task(uploads.run())
        yield uploads
        if handlers.hanging is not None:
            running.cancel()
            await asyncio.wait([running])
            return
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


def shares_of(number: int, count: int, handlers: int) -> list[FoundShare]:
    """So many shares for the handler with this number."""
    made = (made_share(low_nonce=nonce) for nonce in range(10_000))
    ours = (
        each
        for each in made
        if share_handler(each.header, each.proof.low_nonce, handlers) == number
    )
    return list(islice(ours, count))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a server
            await asyncio.sleep(0.005)


async def test_a_handler_that_hangs_delays_only_its_own_shares() -> None:
    handlers = Handlers(hanging=0)
    async with uploading(handlers, count=2, uploaders=4) as uploads:
        for share in (*shares_of(0, 20, handlers=2), *shares_of(1, 20, handlers=2)):
            uploads.add(share)
        await until(lambda: uploads.counts.accepted == 20)
        assert len([number for number, _ in handlers.posts if number == 0]) == 2
    assert uploads.counts == ShareCounts(accepted=20, lost=20)


async def test_a_handler_that_is_down_is_not_stormed() -> None:
    handlers = Handlers([lambda: refused(503, "overloaded")] * 1000)
    async with uploading(handlers, retry_s=3600.0, uploaders=1) as uploads:
        for share in shares_of(0, 20, handlers=1):
            uploads.add(share)
        await until(lambda: len(handlers.posts) == 1)
        await asyncio.sleep(0.1)
        handlers.hanging = -1  # the uploads are cancelled, not finished
    assert len(handlers.posts) == 1
    assert uploads.counts == ShareCounts(lost=20)


async def test_a_share_that_a_handler_fails_at_lets_others_pass() -> None:
    handlers = Handlers([lambda: refused(500, "internal error"), accepted])
    first, second = made_share(low_nonce=1), made_share(low_nonce=2)
    async with uploading(handlers, uploaders=1) as uploads:
        uploads.add(first)
        uploads.add(second)
    proofs = [
        decode_proof_sections(post.header_and_proof[80:], end=False)[0]
        for _, post in handlers.posts
    ]
    assert [proof.low_nonce for proof in proofs] == [1, 2, 1]
    assert uploads.counts == ShareCounts(accepted=2)


async def test_blocks_go_first_and_are_dropped_last() -> None:
    handlers = Handlers()
    async with uploading(handlers, uploaders=1) as uploads:
        uploads.add(made_share(low_nonce=1))
        uploads.add(made_share(low_nonce=2, is_block=True))
        for number in range(QUEUE_LIMIT):
            uploads.add(made_share(low_nonce=3 + number))
    first, _, _ = decode_proof_sections(handlers.posts[0][1].header_and_proof[80:], end=False)
    assert first.low_nonce == 2
    assert uploads.counts == ShareCounts(accepted=QUEUE_LIMIT, lost=2)
