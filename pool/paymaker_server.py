"""What a pool's paymaker answers over HTTP (spec 2 "Paymaker")."""

import hmac
import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import basic_authorization
from packetcrypt.client.paymaker import USER
from packetcrypt.handler.http_answers import (
    BodyTooLong,
    Overloaded,
    answering_problems,
    json_answer,
    read_body,
)
from packetcrypt.operations.endpoints import HEALTH_PATH, METRICS_PATH, Operations
from packetcrypt.pool.ledger import LedgerError
from packetcrypt.pool.paymaker_blocks import BlockList
from packetcrypt.pool.paymaker_intake import PaymakerIntake, TakenUpload
from packetcrypt.pool.paymaker_reckoning import Reckoning
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_stats import PaymakerStats

_NAMED_LINES: Final = 20
"""lines that are no events: so many are told one by one"""
_DIGITS: Final = 16

_log = logging.getLogger(__name__)


class PaymakerServer:
    """The HTTP side of one paymaker."""

    def __init__(
        self,
        settings: PaymakerSettings,
        intake: PaymakerIntake,
        reckoning: Reckoning,
        stats: PaymakerStats,
        blocks: BlockList,
        operations: Operations,
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._reckoning = reckoning
        self._stats = stats
        self._blocks = blocks
        self._operations = operations
        self._proxies = settings.pool.proxies
        self._complaints = Complaints(_log)
        password = settings.pool.paymaker_http_password
        self._authorization = basic_authorization(USER, password).encode()

    def application(self, has_private: bool) -> web.Application:
        """The aiohttp application, with the private routes or without."""
        operations = self._operations
        # The one that takes the time is outermost: it must see the status that is sent.
        middlewares = [operations.middleware(), answering_problems(_error_body)]
        application = web.Application(middlewares=middlewares)
        if has_private:
            application.router.add_get(METRICS_PATH, operations.get_metrics)
        # A reverse proxy may take the path of public_url off; without one it comes along.
        for prefix in {"", self._settings.public_path}:
            if has_private:
                application.router.add_post(prefix + "/events", self._post_events)
            application.router.add_get(prefix + HEALTH_PATH, operations.get_health)
            application.router.add_get(prefix + "/whotopay", self._get_who_to_pay)
            application.router.add_get(prefix + "/blocks", self._get_blocks)
            application.router.add_get(prefix + "/stats", self._get_stats)
        return application

    async def _post_events(self, request: web.Request) -> web.Response:
        self._authorise(request)
        try:
            with self._intake.room():
                body = await self._read_body(request)
                taken = await self._intake.take(body)
        except Overloaded:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded: send it again later")
        except BodyTooLong:
            text = f"a pay log of more than {self._settings.max_body} bytes: raise max_body"
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        except LedgerError as error:
            self._complaints.report(("ledger",), f"a pay log was not taken: {error}")
            text = "server not ready: the ledger cannot be written, send it again"
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, text)
        if taken.refused:
            client = self._proxies.client_of(request).address
            text = f"a pay log from {client} has lines that are no events"
            self._complaints.report(("lines",), f"{text}: {taken.refused[0].reason}")
        return json_answer(HTTPStatus.OK, _confirmation(taken))

    async def _read_body(self, request: web.Request) -> bytes:
        return await read_body(request, self._settings.max_body, self._settings.request_timeout)

    async def _get_who_to_pay(self, request: web.Request) -> web.Response:
        text = request.query.get("maxtime")
        if text is not None and not _is_time(text):
            return _refusal(
                HTTPStatus.BAD_REQUEST, "maxtime must be milliseconds since 1970, in digits"
            )
        try:
            body = await self._reckoning.answer(None if text is None else int(text))
        except Overloaded:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded: ask again later")
        return json_answer(HTTPStatus.OK, body, {"Cache-Control": "no-cache"})

    async def _get_blocks(self, _: web.Request) -> web.Response:
        try:
            body = await self._blocks.answer()
        except Overloaded:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded: ask again later")
        except LedgerError as error:
            self._complaints.report(("blocks",), f"the blocks cannot be listed: {error}")
            text = "server not ready: the ledger cannot be read, ask again later"
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, text)
        return json_answer(HTTPStatus.OK, body, {"Cache-Control": "no-cache"})

    async def _get_stats(self, _: web.Request) -> web.Response:
        body = json.dumps(self._stats.as_json()).encode()
        return json_answer(HTTPStatus.OK, body, {"Cache-Control": "no-cache"})

    def _authorise(self, request: web.Request) -> None:
        """The handlers' password, compared in constant time."""
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._authorization):
            raise web.HTTPUnauthorized(
                headers={"WWW-Authenticate": 'Basic realm="paymaker", charset="UTF-8"'}
            )


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS


def _confirmation(taken: TakenUpload) -> bytes:
    """All of the upload is on the disk, also what it has of lines that are no events."""
    errors = [line.reason for line in taken.refused[:_NAMED_LINES]]
    if (more := len(taken.refused) - _NAMED_LINES) > 0:
        errors.append(f"{more} more lines that are no events")
    warnings = []
    if taken.recorded.is_replay:
        warnings.append("these bytes came before: nothing is paid again")
    elif taken.recorded.repeated:
        warnings.append(f"{taken.recorded.repeated} events came before: they are not paid again")
    return _reply({"eventId": taken.event_id}, warnings, errors)


def _reply(result: dict[str, Any] | None, warnings: Sequence[str], errors: Sequence[str]) -> bytes:
    return json.dumps({"result": result, "warn": warnings, "error": errors}).encode()


def _refusal(status: int, text: str) -> web.Response:
    return json_answer(status, _error_body(text))


def _error_body(text: str) -> bytes:
    return _reply(None, (), (text,))
