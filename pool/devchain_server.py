"""How a development chain is asked, like pktd: JSON-RPC 1.0 over HTTP with Basic authentication."""

import asyncio
import base64
import hmac
import logging
import random
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.operations.endpoints import HEALTH_PATH, METRICS_PATH, Operations
from packetcrypt.pool.devchain_calls import CallError, DevchainCalls
from packetcrypt.pool.devchain_faults import LATE, Failure, Faults
from packetcrypt.pool.devchain_statistics import DevchainStatistics
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields

_MAX_BODY: Final = 16 << 20
"""bytes: a full block in hexadecimal, and room"""
_PARSE_ERROR: Final = -32700

_log = logging.getLogger(__name__)


class DevchainServer:
    """The HTTP side of one node.

    settings : of pktd, whose user and password are asked for
    """

    def __init__(
        self,
        settings: PktdSettings,
        calls: DevchainCalls,
        faults: Faults,
        chance: random.Random,
        statistics: DevchainStatistics,
        operations: Operations,
    ) -> None:
        credentials = base64.b64encode(f"{settings.user}:{settings.password}".encode())
        self._authorization = b"Basic " + credentials
        self._calls = calls
        self._faults = faults
        self._chance = chance
        self._statistics = statistics
        self._operations = operations

    def application(self, has_private: bool) -> web.Application:
        """The aiohttp application, with the private route or without."""
        operations = self._operations
        application = web.Application(
            client_max_size=_MAX_BODY, middlewares=[operations.middleware()]
        )
        application.router.add_post("/", self._handle)
        # Without faults: they are what the pool is tried with, and these are for who looks on.
        application.router.add_get(HEALTH_PATH, operations.get_health)
        if has_private:
            application.router.add_get(METRICS_PATH, operations.get_metrics)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._authorization):
            return web.Response(
                status=HTTPStatus.UNAUTHORIZED,
                headers={"WWW-Authenticate": 'Basic realm="devchain"'},
                text="401 Unauthorized.",
            )
        body = await request.read()
        seconds, failure = self._faults.draw(self._chance)
        if failure is not Failure.NONE:
            self._statistics.faults[failure.label] += 1
        if seconds:
            self._statistics.faults[LATE] += 1
            await asyncio.sleep(seconds)
        if failure is Failure.REFUSED:
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE, text="503 refused on purpose"
            )
        if failure is Failure.UNHEARD:
            return _without_answer(request)
        answer = await self._answer(body)
        return _without_answer(request) if failure is Failure.UNANSWERED else answer

    async def _answer(self, body: bytes) -> web.Response:
        try:
            call = JsonFields.parse(body, "the call")
            call_id, method = call.value("id"), call.text("method")
            parameters = call.value("params")
            if not isinstance(parameters, list):
                raise DecodeError('the call: field "params" must be an array')
        except DecodeError as error:
            return _reply(None, error={"code": _PARSE_ERROR, "message": str(error)})
        try:
            return _reply(call_id, result=await self._calls.answer(method, parameters))
        except CallError as error:
            _log.debug("%s: error %d: %s", method, error.code, error)
            return _reply(call_id, error={"code": error.code, "message": str(error)})


def _without_answer(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _reply(call_id: object, *, result: Any = None, error: object = None) -> web.Response:
    return web.json_response({"result": result, "error": error, "id": call_id})
