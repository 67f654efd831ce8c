"""A whole block handler on loopback: its master, node and paymaker, and a miner's posts to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from block_shares import MinedShare
from handler_master import served
from handler_setup import PostReply
from paymaker_stand_in import PASSWORD, PaymakerStandIn, paymaker_stand_in
from pktd_chain import PktdChain
from pktd_stand_in import PktdStandIn, pktd_stand_in

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_service import BlockHandler, running_block_handler
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.pool_messages import MasterConfig
from packetcrypt.protocol.work_file import BlockWork

PAY_TO = "pkt1qcmkxmnl6mtw7hwy2v7net8ygtfq84n60l5lpwsa3azlk3f2qkn8qk6mz9c"
SUBMIT_URL = "http://pool.example/bh0/submit"


class WorkMaster:
    """A master that serves work, templates and the long poll.

    config   : what config.json says; assign a replaced one
    held     : seconds that a request for the next height is held
    is_ready : answers 500 otherwise
    """

    def __init__(self) -> None:
        self.works: dict[int, BlockWork] = {}
        self.templates: dict[int, BlockTemplate] = {}
        self.held = 30.0
        self.is_ready = True
        self.config = MasterConfig(
            tip_hash=bytes(32),
            current_height=0,
            master_url="",
            submit_ann_urls=(),
            download_ann_urls=(),
            submit_block_urls=(SUBMIT_URL,),
            paymaker_url="",
            mine_old_anns=0,
            ann_target=0x207FFFFF,
        )
        self._published = asyncio.Condition()
        self._questions = 0
        self._long_polls = 0
        self._is_closing = False

    async def publish(self, chain: PktdChain) -> None:
        """Makes the chain's next block what is mined."""
        work = chain.work()
        self.works[work.height] = work
        self.templates[work.height] = chain.template()
        tip = work.header.previous_hash
        self.config = replace(self.config, tip_hash=tip, current_height=work.height)
        async with self._published:
            self._published.notify_all()

    async def close(self) -> None:
        """Answers whoever still waits for the next height."""
        self._is_closing = True
        async with self._published:
            self._published.notify_all()

    async def told(self) -> None:
        """Waits until whoever polls has acted on the configuration as it is now."""
        async with self._published, asyncio.timeout(30):
            target = self._questions + 2
            await self._published.wait_for(lambda: self._questions >= target)

    async def long_polled(self) -> None:
        """Waits until somebody has asked for the next height's work."""
        async with self._published, asyncio.timeout(30):
            await self._published.wait_for(lambda: self._long_polls > 0)

    async def _config(self, _: web.Request) -> web.Response:
        async with self._published:
            self._questions += 1
            self._published.notify_all()
        if not self.is_ready:
            return web.Response(status=500)
        return web.Response(body=self.config.encode(), content_type="application/json")

    async def _work(self, request: web.Request) -> web.Response:
        height = int(request.match_info["height"])
        if height == self.config.current_height + 1:
            async with self._published:
                self._long_polls += 1
                self._published.notify_all()
                try:
                    async with asyncio.timeout(self.held):
                        await self._published.wait_for(
                            lambda: height in self.works or self._is_closing
                        )
                except TimeoutError:
                    return web.Response(status=300, headers={"x-pc-longpoll": "try-again"})
        return _file(self.works.get(height))

    async def _template(self, request: web.Request) -> web.Response:
        return _file(self.templates.get(int(request.match_info["height"])))

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/config.json", self._config)
        application.router.add_get(r"/work_{height:\d+}.bin", self._work)
        application.router.add_get(r"/bt_{height:\d+}.bin", self._template)
        return application


def _file(content: BlockWork | BlockTemplate | None) -> web.Response:
    if content is None:
        return web.Response(status=404)
    return web.Response(body=content.encode(), content_type="application/octet-stream")


@asynccontextmanager
async def work_master(chain: PktdChain | None = None) -> AsyncIterator[WorkMaster]:
    """A master that listens on loopback and offers the chain's next block, if it is given one."""
    master = WorkMaster()
    async with served(master.application()) as url:
        master.config = replace(master.config, master_url=url)
        if chain is not None:
            await master.publish(chain)
        try:
            yield master
        finally:
            await master.close()


@dataclass(frozen=True)
class BlockLoopback:
    """What a test talks to and changes."""

    master: WorkMaster
    pktd: PktdStandIn
    paymaker: PaymakerStandIn
    settings: BlockHandlerSettings
    session: aiohttp.ClientSession
    handler: BlockHandler

    @property
    def chain(self) -> PktdChain:
        return self.pktd.chain

    @property
    def work(self) -> BlockWork:
        return self.chain.work()

    async def post(self, share: MinedShare, pay_to: str = PAY_TO) -> PostReply:
        """Posts a share as the existing block miner does."""
        return await self.post_body(share.post.encode(), {"x-pc-payto": pay_to, "x-pc-sver": "1"})

    async def post_body(self, body: bytes, headers: dict[str, str]) -> PostReply:
        url = f"http://127.0.0.1:{self.handler.port}/submit"
        async with self.session.post(url, data=body, headers=headers) as response:
            return PostReply(response.status, await response.json())

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the paymaker has confirmed of one type of event."""
        return [event for event in self.paymaker.events if event["type"] == kind]


def block_handler_settings(
    root_workdir: Path, master_url: str, pktd: PktdSettings, **changes: Any
) -> BlockHandlerSettings:
    """Settings of a handler on a loopback port; uploads are an hour away."""
    private_seed = changes.pop("private_seed", "")
    pool = PoolSettings(
        master_url=master_url,
        root_workdir=root_workdir,
        paymaker_http_password=PASSWORD,
        private_seed=private_seed,
    )
    return BlockHandlerSettings(
        pool=pool,
        pktd=pktd,
        **{
            "name": "bh0",
            "public_url": SUBMIT_URL.removesuffix("/submit"),
            "bind": "127.0.0.1:0",
            "poll_interval": 0.02,
            "paylog_seconds": 3600.0,
            **changes,
        },
    )


@asynccontextmanager
async def block_loopback(
    root_workdir: Path, chain: PktdChain | None = None, **changes: Any
) -> AsyncIterator[BlockLoopback]:
    """A block handler that is ready for shares; changes: of the settings, or its pktd settings."""
    async with (
        pktd_stand_in(chain) as pktd,
        work_master(pktd.chain) as master,
        paymaker_stand_in() as paymaker,
        aiohttp.ClientSession() as session,
    ):
        master.config = replace(master.config, paymaker_url=paymaker.url)
        changes.setdefault("pktd", pktd.settings)
        settings = block_handler_settings(root_workdir, master.config.master_url, **changes)
        async with running_block_handler(settings) as handler:
            yield BlockLoopback(master, pktd, paymaker, settings, session, handler)
