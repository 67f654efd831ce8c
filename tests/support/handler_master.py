"""A pool master over real HTTP whose answers a test can change while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web
from handler_announcements import KNOWN_JOBS

from packetcrypt.protocol.pool_messages import BlockInfo, MasterConfig

FIRST_HEIGHT = KNOWN_JOBS[0].parent_height - 2
EASIEST_TARGET = 0x207FFFFF


def made_up_hash(height: int, branch: int = 0) -> bytes:
    """The hash of a block that no announcement is known for."""
    return bytes([branch]) + height.to_bytes(31, "little")


class ChangingMaster:
    """Blocks 999998 to 1000003, of which the last four are the parents of the known jobs.

    config   : what config.json says; assign a replaced one
    blocks   : blkinfo by hash, internal byte order
    is_ready : answers 500 otherwise
    """

    def __init__(self) -> None:
        self.is_ready = True
        self._questions = 0
        self._asked = asyncio.Condition()
        self.blocks: dict[bytes, BlockInfo] = {}
        self.config = MasterConfig(
            tip_hash=bytes(32),
            current_height=0,
            master_url="",
            submit_ann_urls=(),
            download_ann_urls=(),
            submit_block_urls=(),
            paymaker_url="",
            mine_old_anns=0,
            ann_target=EASIEST_TARGET,
        )
        for height in (FIRST_HEIGHT, FIRST_HEIGHT + 1):
            self.add_block(made_up_hash(height))
        for job in KNOWN_JOBS:
            self.add_block(job.parent_hash, job.signing_key)

    def add_block(
        self, block_hash: bytes, signing_key: bytes | None = None, after: bytes | None = None
    ) -> None:
        """Appends a block to the tip, or to the block `after`, and makes it the tip."""
        previous = after or self.config.tip_hash
        height = self.blocks[previous].height + 1 if self.blocks else FIRST_HEIGHT
        self.blocks[block_hash] = BlockInfo(
            hash=block_hash,
            height=height,
            version=0x20000000,
            merkle_root=bytes(32),
            time=1_700_000_000,
            nonce=0,
            bits=0x1D00FFFF,
            difficulty=1.0,
            previous_hash=previous,
            signing_key=signing_key,
        )
        self.set_tip(block_hash)

    def set_tip(self, block_hash: bytes) -> None:
        """Makes a known block the tip."""
        height = self.blocks[block_hash].height
        self.config = replace(self.config, tip_hash=block_hash, current_height=height + 1)

    async def told(self) -> None:
        """Waits until whoever polls has acted on the configuration as it is now.

        That is when it is asked for the second time from now on: the first answer has been used
        then.
        """
        async with self._asked:
            target = self._questions + 2
            await self._asked.wait_for(lambda: self._questions >= target)

    async def _config(self, _: web.Request) -> web.Response:
        async with self._asked:
            self._questions += 1
            self._asked.notify_all()
        if not self.is_ready:
            return web.Response(status=500)
        return web.Response(body=self.config.encode(), content_type="application/json")

    async def _blkinfo(self, request: web.Request) -> web.Response:
        info = self.blocks.get(bytes.fromhex(request.match_info["hash"])[::-1])
        if info is None:
            return web.Response(status=404)
        return web.Response(body=info.encode(), content_type="application/json")

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/config.json", self._config)
        application.router.add_get("/blkinfo_{hash}.json", self._blkinfo)
        return application


@asynccontextmanager
async def changing_master() -> AsyncIterator[ChangingMaster]:
    """A master that listens on loopback; config.master_url says where."""
    master = ChangingMaster()
    async with served(master.application()) as url:
        master.config = replace(master.config, master_url=url)
        yield master


@asynccontextmanager
async def served(application: web.Application, port: int = 0) -> AsyncIterator[str]:
    """An application on a loopback port; yields its URL."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
