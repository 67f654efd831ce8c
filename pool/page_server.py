"""The pool's pages over HTTP, beside what the master answers to miners."""

from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import web

from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.node_follower import NodeFollower
from packetcrypt.pool.page_live import LivePages
from packetcrypt.pool.page_miner import Acquaintance, miner_page
from packetcrypt.pool.page_names import miner_path
from packetcrypt.pool.page_templates import PageTemplates, assets
from packetcrypt.pool.page_text import is_payto
from packetcrypt.pool.page_view import freshness, pool_page
from packetcrypt.pool.page_watch import PoolState, PoolWatch
from packetcrypt.pool.paymaker_clock import milliseconds_now

LOOK_SECONDS: Final = 1.0
"""how often it is looked whether somebody is to be asked"""

SECURITY_HEADERS: Final = {
    # Nothing but our own script and style: text that slipped through escaping would stay inert.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Whose address was looked up is nobody's business.
    "Referrer-Policy": "no-referrer",
}
_NOT_CACHED: Final = "no-cache"
_FOR_EVER: Final = "max-age=31536000, immutable"
_QUERY_LENGTH: Final = 200
_DRAWN_MILLISECONDS: Final = 1000
"""for so long everybody gets the same drawing of the pool's page"""

_STATUSES: Final = {
    Acquaintance.KNOWN: HTTPStatus.OK,
    Acquaintance.UNKNOWN: HTTPStatus.NOT_FOUND,
    Acquaintance.NOT_ASKED: HTTPStatus.SERVICE_UNAVAILABLE,
    Acquaintance.IMPOSSIBLE: HTTPStatus.BAD_REQUEST,
}


class PoolPages:
    """The pages of one master. Call on one event loop, and `close` before it ends."""

    def __init__(self, settings: MasterSettings, follower: NodeFollower, version: str) -> None:
        # A browser sees the path of master_url, whether or not a proxy takes it off.
        self._root = settings.public_path
        self._templates = PageTemplates(
            self._root, settings.pool_name, settings.pool.master_url, version
        )
        self._live = LivePages(self._templates, settings.page_live_clients)
        self._session = aiohttp.ClientSession()
        self._watch = PoolWatch(
            settings, follower, self._session, lambda: self._live.clients > 0, self._publish
        )
        self._drawn: tuple[PoolState, int, bytes] | None = None
        self._looking = RegularTask(LOOK_SECONDS, self._watch.look)

    def add_routes(self, application: web.Application) -> None:
        """Adds the pages to the master's application."""
        for prefix in {"", self._root}:
            add_get = application.router.add_get
            for path in {prefix, prefix + "/"} - {""}:
                add_get(path, self._get_pool)
            add_get(prefix + "/miner", self._look_up)
            add_get(prefix + "/miner/{name}", self._get_miner)
            add_get(prefix + "/live", self._get_live, allow_head=False)
            add_get(prefix + "/assets/{name}", self._get_asset)

    def end_streams(self) -> None:
        """Ends the open event streams, which a server that stops would wait for."""
        self._live.close()

    async def close(self) -> None:
        """Stops asking others."""
        await self._looking.finish(0.0)
        await self._watch.close()
        await self._session.close()

    def _publish(self) -> None:
        if self._live.clients:
            self._live.publish(pool_page(self._watch.state, self._root))

    async def _get_pool(self, _: web.Request) -> web.Response:
        await self._watch.visit()
        return _html(self._draw_pool())

    def _draw_pool(self) -> bytes:
        state, now = self._watch.state, milliseconds_now()
        drawn = self._drawn
        if drawn is None or drawn[0] is not state or now - drawn[1] > _DRAWN_MILLISECONDS:
            page = self._templates.pool(pool_page(state, self._root), now)
            drawn = self._drawn = (state, now, page.encode())
        return drawn[2]

    async def _get_live(self, request: web.Request) -> web.StreamResponse:
        # nginx buffers answers, and would hold events back.
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if not self._live.clients:
            self._live.publish(pool_page(self._watch.state, self._root))
        return await self._live.serve(request, headers)

    async def _look_up(self, request: web.Request) -> web.Response:
        """Where the form leads: to the page of the address, which can be kept and shared."""
        text = request.query.get("address", "")[:_QUERY_LENGTH].strip()
        if is_payto(text):
            location = miner_path(self._root, text)
            return web.Response(
                status=HTTPStatus.SEE_OTHER, headers={**SECURITY_HEADERS, "Location": location}
            )
        return await self._draw_miner(text)

    async def _get_miner(self, request: web.Request) -> web.Response:
        return await self._draw_miner(request.match_info["name"][:_QUERY_LENGTH])

    async def _draw_miner(self, name: str) -> web.Response:
        await self._watch.visit()
        state = self._watch.state
        page = miner_page(state, name, self._root)
        body = self._templates.miner(page, freshness(state), milliseconds_now())
        return _html(body.encode(), _STATUSES[page.acquaintance])

    async def _get_asset(self, request: web.Request) -> web.Response:
        asset = assets().get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        is_this = request.query.get("v") == asset.version
        return web.Response(
            body=asset.content,
            content_type=asset.media_type,
            charset="utf-8",
            headers={
                **SECURITY_HEADERS,
                "Cache-Control": _FOR_EVER if is_this else _NOT_CACHED,
            },
        )


def _html(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(
        status=status,
        body=body,
        content_type="text/html",
        charset="utf-8",
        headers={**SECURITY_HEADERS, "Cache-Control": _NOT_CACHED},
    )
