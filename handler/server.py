"""What a handler answers over HTTP: posts of announcements, and files of them for block miners."""

import asyncio
import base64
import hmac
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from packetcrypt.handler.announcement_files import AnnouncementFiles
from packetcrypt.handler.client_limit import ClientLimit
from packetcrypt.handler.crediting import CreditedPost
from packetcrypt.handler.http_answers import (
    BodyTooLong,
    Overloaded,
    answering_problems,
    json_answer,
    read_body,
)
from packetcrypt.handler.intake import Intake, PostFailed
from packetcrypt.handler.pool_state import PoolState
from packetcrypt.handler.settings import SUBMIT_PATH, AnnHandlerSettings
from packetcrypt.handler.statistics import HandlerStatistics
from packetcrypt.handler.submission import (
    BODY_LIMIT,
    Post,
    PostRefused,
    check_headers,
    reply_of,
)
from packetcrypt.operations.endpoints import HEALTH_PATH, METRICS_PATH, Operations
from packetcrypt.protocol.pool_messages import AnnouncementPostReply

BLOCK_MINER_USER = "x"
_FOR_EVER = "max-age=31536000, immutable"


class HandlerServer:
    """The HTTP side of one announcement handler.

    state : asked at every post, for what the pool wants now
    limit : how many posts one client may have here
    """

    def __init__(
        self,
        settings: AnnHandlerSettings,
        state: Callable[[], PoolState | None],
        intake: Intake,
        files: AnnouncementFiles,
        statistics: HandlerStatistics,
        limit: ClientLimit,
        operations: Operations,
    ) -> None:
        self._settings = settings
        self._state = state
        self._intake = intake
        self._files = files
        self._statistics = statistics
        self._limit = limit
        self._operations = operations
        self._proxies = settings.pool.proxies

    def application(self, has_private: bool) -> web.Application:
        """The aiohttp application, with the private routes or without."""
        operations = self._operations
        application = web.Application(
            middlewares=[operations.middleware(), answering_problems(_error_body)]
        )
        if has_private:
            application.router.add_get(METRICS_PATH, operations.get_metrics)
        # A reverse proxy may take the path of public_url off; without one it comes along.
        for prefix in {"", self._settings.public_path}:
            application.router.add_get(prefix + HEALTH_PATH, operations.get_health)
            application.router.add_post(prefix + SUBMIT_PATH, self._submit)
            application.router.add_get(prefix + "/anns/index.json", self._index)
            application.router.add_get(prefix + "/anns/{name}", self._file)
        return application

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        try:
            self._intake.refuse_if_full()
            with self._limit.counted(self._proxies.client_of(request)):
                credited = await self._credit(request)
        except Overloaded:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, _error("overloaded"))
        except PostFailed:
            failure = _error("internal error: send them again")
            return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, failure)
        except PostRefused as refusal:
            self._statistics.refused += 1
            return _answer(HTTPStatus.BAD_REQUEST, _error(str(refusal)))
        reply = reply_of(*credited)
        if credited.result.internal_errors:
            return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, reply)
        return _answer(HTTPStatus.BAD_REQUEST if reply.errors else HTTPStatus.OK, reply)

    async def _credit(self, request: web.Request) -> CreditedPost:
        state = self._state()
        headers, parent = check_headers(request.headers, state)
        assert state is not None
        body = await self._read_body(request)
        return await self._intake.credit(Post(headers, parent, state, body))

    async def _read_body(self, request: web.Request) -> bytes:
        try:
            body = await read_body(request, BODY_LIMIT, self._settings.request_timeout)
        except BodyTooLong:
            raise PostRefused(f"size above the limit of {BODY_LIMIT} bytes") from None
        except web.HTTPException:
            self._statistics.refused += 1
            raise
        self._statistics.read_bytes += len(body)
        return body

    async def _index(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        listing = self._files.listing
        index = {"highestAnnFile": listing.highest, "files": listing.names}
        return web.json_response(index, headers={"Cache-Control": "no-cache"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self._authorise(request)
        path = self._files.served(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        response = _TimedFile(path, self._settings.request_timeout)
        response.content_type = "application/octet-stream"
        return response

    def _authorise(self, request: web.Request) -> None:
        """Block miners' password, compared in constant time."""
        if not self._settings.block_miner_passwd:
            return
        credentials = f"{BLOCK_MINER_USER}:{self._settings.block_miner_passwd}".encode()
        wanted = b"Basic " + base64.b64encode(credentials)
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, wanted):
            raise web.HTTPUnauthorized(
                headers={"WWW-Authenticate": 'Basic realm="announcements", charset="UTF-8"'}
            )


class _TimedFile(web.FileResponse):
    """A file that must be gone in time: a client that does not read is not waited for."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(path, headers={"Cache-Control": _FOR_EVER})
        self._seconds = seconds

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends the file (which aiohttp does here)."""
        try:
            async with asyncio.timeout(self._seconds):
                return await super().prepare(request)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the client did not read a file in time") from None


def _answer(status: int, reply: AnnouncementPostReply) -> web.Response:
    return json_answer(status, reply.encode())


def _error(text: str) -> AnnouncementPostReply:
    return AnnouncementPostReply(None, errors=(text,))


def _error_body(text: str) -> bytes:
    return _error(text).encode()
