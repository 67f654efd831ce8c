"""What a pool's master answers over HTTP (spec 2 "Master"), from memory where many ask the same."""

import asyncio
from collections import OrderedDict
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from aiohttp import web

from packetcrypt.client.json_rpc import RpcRefused
from packetcrypt.client.pktd import PktdClient
from packetcrypt.operations.endpoints import HEALTH_PATH, METRICS_PATH, Operations
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.node_follower import CurrentWork, NodeFollower
from packetcrypt.pool.page_server import PoolPages
from packetcrypt.pool.share_work import SigningKeys
from packetcrypt.pool.work_files import WorkFiles
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.pool_messages import MasterConfig

LONG_POLL_SECONDS: Final = 30.0
_CONFIG_CACHING: Final = "max-age=8 stale-while-revalidate=2"
_FOR_EVER: Final = "max-age=31536000, immutable"

#: Blocks whose information is kept: everybody asks for the last six, late ones for a few more.
_KNOWN_BLOCKS: Final = 512
#: Questions to the node at a time, however many strangers make hashes up.
_NODE_QUESTIONS: Final = 4


class MasterServer:
    """The HTTP side of one master.

    waiting : requests that wait for the next block's work
    """

    def __init__(
        self,
        settings: MasterSettings,
        follower: NodeFollower,
        files: WorkFiles,
        node: PktdClient,
        keys: SigningKeys,
        operations: Operations,
        pages: PoolPages | None = None,
    ) -> None:
        self.waiting = 0
        self._settings = settings
        self._follower = follower
        self._files = files
        self._node = node
        self._keys = keys
        self._operations = operations
        self._pages = pages
        self._blocks: OrderedDict[bytes, bytes] = OrderedDict()
        self._questions = asyncio.Semaphore(_NODE_QUESTIONS)
        self._config: tuple[CurrentWork, bytes] | None = None
        #: by height, as long as the work named with it is the current one
        self._published_before: tuple[CurrentWork, dict[int, CurrentWork]] | None = None

    def application(self, has_private: bool) -> web.Application:
        """The aiohttp application, with the private routes or without."""
        operations = self._operations
        application = web.Application(middlewares=[operations.middleware()])
        application.on_shutdown.append(self._end_waiting)
        if has_private:
            application.router.add_get(METRICS_PATH, operations.get_metrics)
        # A reverse proxy may take the path of master_url off; without one it comes along.
        for prefix in {"", self._settings.public_path}:
            add_get = application.router.add_get
            add_get(prefix + HEALTH_PATH, operations.get_health)
            add_get(prefix + "/config.json", self._get_config)
            add_get(prefix + r"/work_{height:\d{1,10}}.bin", self._get_work)
            add_get(prefix + r"/bt_{height:\d{1,10}}.bin", self._get_template)
            add_get(prefix + r"/blkinfo_{hash:[0-9a-f]{64}}.json", self._get_block_info)
        if self._pages is not None:
            self._pages.add_routes(application)
        return application

    async def _get_config(self, _: web.Request) -> web.Response:
        current = self._current()
        if self._config is None or self._config[0] is not current:
            self._config = (current, self._encode_config(current))
        return web.Response(
            body=self._config[1],
            content_type="application/json",
            headers={"Cache-Control": _CONFIG_CACHING},
        )

    def _encode_config(self, current: CurrentWork) -> bytes:
        settings = self._settings
        return MasterConfig(
            tip_hash=current.tip_hash,
            current_height=current.height,
            master_url=settings.pool.master_url,
            submit_ann_urls=settings.submit_ann_urls,
            download_ann_urls=settings.download_ann_urls,
            submit_block_urls=settings.submit_block_urls,
            paymaker_url=settings.paymaker_url,
            mine_old_anns=settings.mine_old_anns,
            ann_target=settings.ann_target,
        ).encode()

    async def _get_work(self, request: web.Request) -> web.Response:
        height = int(request.match_info["height"])
        current = self._current()
        is_next = height == current.height + 1
        if is_next:
            self.waiting += 1
            try:
                await self._follower.wait_for_change(LONG_POLL_SECONDS)
            finally:
                self.waiting -= 1
        published = self._published(height)
        if published is not None:
            return _binary(published.work_bytes)
        if is_next:  # still to come, or the chain went another way, or past it
            return web.Response(
                status=HTTPStatus.MULTIPLE_CHOICES,
                headers={"Cache-Control": "no-store", "x-pc-longpoll": "try-again"},
            )
        raise web.HTTPNotFound

    async def _end_waiting(self, _: web.Application) -> None:
        """Has those who wait told to ask again: stopping need not wait for them."""
        await self._follower.let_go()

    async def _get_template(self, request: web.Request) -> web.Response:
        published = self._published(int(request.match_info["height"]))
        if published is None:
            raise web.HTTPNotFound
        return _binary(published.template_bytes)

    def _published(self, height: int) -> CurrentWork | None:
        """What is mined at this height, or was; read once, however many ask."""
        current = self._current()
        if self._published_before is None or self._published_before[0] is not current:
            self._published_before = (current, {current.height: current})
        known = self._published_before[1]
        if height < current.height and height not in known:
            published = self._files.load(height)
            if published is not None:
                known[height] = CurrentWork.of(published)
        return known.get(height)

    async def _get_block_info(self, request: web.Request) -> web.Response:
        block_hash = bytes.fromhex(request.match_info["hash"])[::-1]
        body = self._blocks.get(block_hash)
        if body is None:
            body = await self._ask_for_block(block_hash)
            self._blocks[block_hash] = body
            while len(self._blocks) > _KNOWN_BLOCKS:
                self._blocks.popitem(last=False)
        return web.Response(
            body=body, content_type="application/json", headers={"Cache-Control": _FOR_EVER}
        )

    async def _ask_for_block(self, block_hash: bytes) -> bytes:
        try:
            async with self._questions:
                info = await self._node.block_header(block_hash)
        except RpcRefused:
            raise web.HTTPNotFound from None
        except PoolError:
            raise web.HTTPInternalServerError from None
        return replace(info, signing_key=self._keys.key_of_parent(info.height)).encode()

    def _current(self) -> CurrentWork:
        """What is mined now; 500 until there is something (spec 2: "server not ready")."""
        current = self._follower.current
        if current is None:
            raise web.HTTPInternalServerError(text="server not ready")
        return current


def _binary(body: bytes) -> web.Response:
    return web.Response(
        body=body,
        content_type="application/octet-stream",
        headers={"Cache-Control": _FOR_EVER},
    )
