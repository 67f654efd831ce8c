"""Uploads to one pool: concurrency, time-outs, and handlers that come and go."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from scripted_pool import ReceivedPost, ScriptedPool, announcements, reply_to

from packetcrypt.client.complaints import Complaints
from packetcrypt.miner.pool_uploads import PoolUploads
from packetcrypt.miner.settings import AnnouncementMinerSettings
from packetcrypt.miner.upload_queue import UploadBatch
from packetcrypt.protocol.address import WitnessProgram, format_address

ADDRESS = format_address(WitnessProgram(0, bytes(20)))


@dataclass
class Gate:
    """Handlers that hold every post until `opened`; counts how many are held at a time."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most_inside: int = 0
    entered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hold(self, post: ReceivedPost) -> web.Response:
        async with self.entered:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            self.entered.notify_all()
        try:
            await self.opened.wait()
        finally:
            self.inside -= 1
        return reply_to(post)

    async def wait_for(self, inside: int) -> None:
        async with asyncio.timeout(30), self.entered:
            await self.entered.wait_for(lambda: self.inside == inside)


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool() as pool:
        yield pool


@pytest.fixture
async def uploads(pool: ScriptedPool) -> AsyncIterator[PoolUploads]:
    settings = AnnouncementMinerSettings(
        payment_addr=ADDRESS, pools=(pool.url,), uploaders=3, upload_timeout=20
    )
    complaints = Complaints(logging.getLogger("test"), lambda: 0.0)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        uploads = PoolUploads(tasks, session, settings, complaints, lambda: 0.0)
        uploads.set_handlers(tuple(pool.handler_urls()))
        yield uploads
        await uploads.flush(0.0)


def found(count: int, seed: int = 0) -> UploadBatch:
    return UploadBatch(*announcements(count, seed), work_number=200_001)


async def test_a_post_carries_address_and_work_number(
    pool: ScriptedPool, uploads: PoolUploads
) -> None:
    batch = found(5)
    uploads.add(batch)
    assert await uploads.flush(30.0) == 0
    (post,) = pool.posts
    assert post.body == batch.announcements.tobytes()
    assert (post.headers.pay_to, post.headers.work_number) == (ADDRESS, 200_001)
    assert uploads.account.counts.accepted == 5


async def test_no_more_uploads_at_a_time_than_allowed(
    pool: ScriptedPool, uploads: PoolUploads
) -> None:
    gate = Gate()
    pool.on_post = gate.hold
    for seed in range(8):
        uploads.add(found(1024, seed))
    await gate.wait_for(inside=3)
    assert uploads.account.uploading == 3 * 1024
    gate.opened.set()
    assert await uploads.flush(30.0) == 0
    assert gate.most_inside == 3
    assert uploads.account.counts.accepted == 8 * 1024
    assert uploads.account.uploading == 0


async def test_the_newest_batch_is_sent_first(pool: ScriptedPool, uploads: PoolUploads) -> None:
    gate = Gate()
    pool.on_post = gate.hold
    for seed in range(3):
        uploads.add(found(1024, seed))
    await gate.wait_for(inside=3)
    for seed in range(3, 6):
        uploads.add(found(1024, seed))
    gate.opened.set()
    await uploads.flush(30.0)
    later = [post.body for post in pool.posts[3:]]
    # The three uploaders come free together, so only the batch that is taken first is certain.
    assert later[0] == found(1024, 5).announcements.tobytes()


async def test_a_full_queue_counts_its_overflow(pool: ScriptedPool, uploads: PoolUploads) -> None:
    gate = Gate()
    pool.on_post = gate.hold
    for seed in range(3):
        uploads.add(found(1024, seed))
    await gate.wait_for(inside=3)
    batch = found(1024, 3)
    for _ in range(105):
        uploads.add(batch)
    assert uploads.account.counts.lost == 5 * 1024
    gate.opened.set()
    assert await uploads.flush(60.0) == 0
    assert uploads.account.counts.accepted == 103 * 1024


async def test_a_hanging_handler_does_not_hold_up_the_end(
    pool: ScriptedPool, uploads: PoolUploads
) -> None:
    gate = Gate()
    pool.on_post = gate.hold
    for seed in range(5):
        uploads.add(found(1024, seed))
    await gate.wait_for(inside=3)
    assert await uploads.flush(0.01) == 5 * 1024
    assert uploads.account.uploading == 0
    assert uploads.account.counts.lost == 5 * 1024
    assert uploads.account.counts.sent_bytes == 0


async def test_a_pool_without_handlers_loses_everything(uploads: PoolUploads) -> None:
    uploads.set_handlers(())
    uploads.add(found(7))
    assert uploads.account.counts.lost == 7


async def test_what_waits_is_dealt_anew_when_handlers_come(
    pool: ScriptedPool, uploads: PoolUploads
) -> None:
    uploads.add(found(50))
    pool.handlers = 3
    uploads.set_handlers(tuple(pool.handler_urls()))
    assert await uploads.flush(30.0) == 0
    assert {post.handler for post in pool.posts} == {0, 1, 2}
    assert all(key % 3 == post.handler for post in pool.posts for key in post.keys)
    assert uploads.account.counts.accepted == 50


async def test_uploads_under_way_survive_a_change_of_handlers(
    pool: ScriptedPool, uploads: PoolUploads
) -> None:
    gate = Gate()
    pool.on_post = gate.hold
    uploads.add(found(1024))
    await gate.wait_for(inside=1)
    pool.handlers = 2
    uploads.set_handlers(tuple(pool.handler_urls()))
    gate.opened.set()
    assert await uploads.flush(30.0) == 0
    assert uploads.account.counts.accepted == 1024


async def test_a_handler_may_move(pool: ScriptedPool, uploads: PoolUploads) -> None:
    async with ScriptedPool() as elsewhere:
        uploads.set_handlers(tuple(elsewhere.handler_urls()))
        uploads.add(found(3))
        await uploads.flush(30.0)
    assert (len(pool.posts), len(elsewhere.posts)) == (0, 1)


async def test_rejected_and_overloaded_are_told_apart(
    pool: ScriptedPool, uploads: PoolUploads
) -> None:
    async def answer(post: ReceivedPost) -> web.Response:
        if post.handler == 1:
            return web.json_response(
                {"warn": [], "error": ["overloaded"], "result": None}, status=503
            )
        return reply_to(post, accepted=1)

    pool.on_post = answer
    pool.handlers = 2
    uploads.set_handlers(tuple(pool.handler_urls()))
    uploads.add(found(100))
    await uploads.flush(30.0)
    sent = {post.handler: post.count for post in pool.posts}
    counts = uploads.account.counts
    assert (counts.accepted, counts.rejected) == (1, sent[0] - 1)
    assert counts.overloaded == sent[1]
