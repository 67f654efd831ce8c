"""A pool on loopback whose every answer a test decides; real HTTP, scripted contents."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from aiohttp import web

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.pool_messages import (
    AnnouncementPostHeaders,
    AnnouncementPostReply,
    AnnouncementPostResult,
    BlockInfo,
    MasterConfig,
    post_event_id,
)
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.work_file import BlockWork

EASY_BITS = 0x207FFFFF


def made_up_block(label: str, height: int, previous: BlockInfo | None) -> BlockInfo:
    """A block that was never mined; its hash follows from label and height."""
    return BlockInfo(
        hash=h32(f"{label} {height}".encode()),
        height=height,
        version=0x20000000,
        merkle_root=bytes(32),
        time=1_600_000_000 + height,
        nonce=0,
        bits=EASY_BITS,
        difficulty=1.0,
        previous_hash=previous.hash if previous else bytes(32),
    )


def made_up_chain(label: str, tip_height: int, length: int = 10) -> list[BlockInfo]:
    """Blocks that follow one another, the tip last."""
    blocks: list[BlockInfo] = []
    for height in range(tip_height - length + 1, tip_height + 1):
        blocks.append(made_up_block(label, height, blocks[-1] if blocks else None))
    return blocks


@dataclass(frozen=True)
class ReceivedPost:
    """A post of announcements as it arrived: at which handler, with which headers and body."""

    handler: int
    headers: AnnouncementPostHeaders
    body: bytes

    @property
    def count(self) -> int:
        return len(self.body) // ANNOUNCEMENT_SIZE

    @property
    def keys(self) -> list[int]:
        """The dedup keys, computed from the body."""
        return [
            int.from_bytes(h32(self.body[at : at + ANNOUNCEMENT_SIZE])[:8], "little")
            for at in range(0, len(self.body), ANNOUNCEMENT_SIZE)
        ]


def reply_to(post: ReceivedPost, accepted: int | None = None) -> web.Response:
    """A handler's reply that takes all announcements of a post, or only so many."""
    taken = post.count if accepted is None else accepted
    result = AnnouncementPostResult(
        pay_to=post.headers.pay_to,
        accepted=taken,
        duplicates=0,
        invalid=post.count - taken,
        bad_hash=0,
        runt=0,
        internal_errors=0,
        unsigned=taken,
        total_length=0,
        target=EASY_BITS,
        time=1_600_000_000_000,
        event_id=post_event_id(post.body),
    )
    body = AnnouncementPostReply(result).encode()
    return web.Response(body=body, content_type="application/json")


async def accept(post: ReceivedPost) -> web.Response:
    """What handlers of a `ScriptedPool` do unless told otherwise."""
    return reply_to(post)


@dataclass
class ScriptedPool:
    """A master and its announcement handlers. Change the fields while it runs.

    chain        : the tip last; config.json follows it
    work         : what work_<height>.bin of its height answers
    removed      : blocks that left the chain, which are still told by hash
    config_edit  : changes the configuration before it is sent
    master_answer: answers every GET of the master instead, if it is set
    on_post      : answers posts
    posts        : those that arrived; wait for them with `wait_for_posts`
    """

    chain: list[BlockInfo] = field(default_factory=lambda: made_up_chain("main", 200_000))
    work: BlockWork | None = None
    removed: list[BlockInfo] = field(default_factory=list)
    handlers: int = 1
    ann_target: int = EASY_BITS
    mine_old_anns: int = 0
    config_edit: Callable[[MasterConfig], MasterConfig] = lambda config: config
    master_answer: Callable[[web.Request], web.Response] | None = None
    on_post: Callable[[ReceivedPost], Awaitable[web.Response]] = accept
    posts: list[ReceivedPost] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def accepted_keys(self) -> set[int]:
        return {key for post in self.posts for key in post.keys}

    def config(self) -> MasterConfig:
        tip = self.chain[-1]
        return self.config_edit(
            MasterConfig(
                tip_hash=tip.hash,
                current_height=tip.height + 1,
                master_url=self.url,
                submit_ann_urls=tuple(self.handler_urls()),
                download_ann_urls=(),
                submit_block_urls=(),
                paymaker_url=f"{self.url}/paymaker",
                mine_old_anns=self.mine_old_anns,
                ann_target=self.ann_target,
            )
        )

    def handler_urls(self) -> Sequence[str]:
        return [f"{self.url}/handler/{number}/submit" for number in range(self.handlers)]

    def blkinfo_requests(self) -> list[str]:
        return [request.path for request in self.requests if "blkinfo" in request.path]

    async def start(self) -> None:
        """Serves, after a stop on the same port as before."""
        app = web.Application(client_max_size=2 * 1024 * 1024)
        app.router.add_get("/config.json", self._get)
        app.router.add_get("/blkinfo_{hash}.json", self._get)
        app.router.add_get("/work_{height}.bin", self._get)
        app.router.add_post("/handler/{number}/submit", self._post)
        # A client that goes away, or a pool that goes down, ends the handler with it.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Goes down: connections are refused afterwards."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait_for_posts(self, enough: Callable[[list[ReceivedPost]], bool]) -> None:
        """Returns when the posts that arrived are enough; fails after half a minute."""
        async with asyncio.timeout(30), self._arrived:
            await self._arrived.wait_for(lambda: enough(self.posts))

    async def _get(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.master_answer is not None:
            return self.master_answer(request)
        height = request.match_info.get("height")
        if height is not None:
            if self.work is None or self.work.height != int(height):
                raise web.HTTPNotFound
            return web.Response(body=self.work.encode())
        wanted = request.match_info.get("hash")
        if wanted is None:
            return web.Response(body=self.config().encode(), content_type="application/json")
        for block in (*self.chain, *self.removed):
            if block.hash[::-1].hex() == wanted:
                return web.Response(body=block.encode(), content_type="application/json")
        raise web.HTTPNotFound

    async def _post(self, request: web.Request) -> web.Response:
        post = ReceivedPost(
            int(request.match_info["number"]),
            AnnouncementPostHeaders.decode(request.headers),
            await request.read(),
        )
        async with self._arrived:
            self.posts.append(post)
            self._arrived.notify_all()
        return await self.on_post(post)


def keyed(blocks: list[BlockInfo], signing_key: bytes) -> list[BlockInfo]:
    """The same blocks with a signing key of the pool."""
    return [replace(block, signing_key=signing_key) for block in blocks]


def announcements(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random bytes in the shape of announcements, and their real dedup keys."""
    made = np.random.default_rng(seed).integers(0, 256, (count, ANNOUNCEMENT_SIZE), np.uint8)
    keys = [int.from_bytes(h32(row.tobytes())[:8], "little") for row in made]
    return made, np.array(keys, np.uint64)
