"""How the pool's handlers are, as they tell the master (`GET /health`).

A handler of another program has no such answer: that it answers at all is what is known then.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus
from typing import Final

import aiohttp

from packetcrypt.client.http import HttpLimits, get
from packetcrypt.protocol.errors import DecodeError, PoolError
from packetcrypt.protocol.json_fields import JsonFields

_LIMITS: Final = HttpLimits(body_size=64 * 1024, seconds=4.0)
_TEXT_LENGTH: Final = 200


class HandlerKind(Enum):
    """Which of the two kinds a handler is."""

    ANNOUNCEMENTS = "announcements"
    BLOCK_SHARES = "block shares"


class HandlerStatus(Enum):
    """What is known of a handler."""

    UNKNOWN = "not asked yet"
    OK = "working"
    STARTING = "starting"
    DEGRADED = "in trouble"
    DOWN = "not working"
    REACHABLE = "reachable"
    UNREACHABLE = "not reachable"


@dataclass(frozen=True)
class HandlerState:
    """One handler, in the order in which the master lists it.

    problems : checks that fail, as the handler words them
    since    : when the status became what it is, milliseconds since 1970; None: never asked
    """

    kind: HandlerKind
    url: str
    status: HandlerStatus = HandlerStatus.UNKNOWN
    problems: tuple[str, ...] = ()
    since: int | None = None

    @property
    def name(self) -> str:
        """The last part of the URL's path, or the URL where it has none."""
        parts = self.url.split("//", 1)[-1].rstrip("/").split("/")
        return parts[-1]

    def told(self, status: HandlerStatus, problems: tuple[str, ...], now: int) -> "HandlerState":
        """The state after an answer."""
        if (status, problems) == (self.status, self.problems):
            return self
        since = self.since if status is self.status else now
        return replace(self, status=status, problems=problems, since=since)


_STATUSES: Final = {
    "ok": HandlerStatus.OK,
    "starting": HandlerStatus.STARTING,
    "degraded": HandlerStatus.DEGRADED,
}


def decode_health(body: bytes) -> tuple[HandlerStatus, tuple[str, ...]]:
    """Status and failing checks of a health answer; DecodeError if it is none."""
    fields = JsonFields.parse(body, "health")
    status = _STATUSES.get(text := fields.text("status"))
    if status is None:
        raise DecodeError(f'health: field "status" is none that is known: {text[:60]!r}')
    checks = fields.fields("checks")
    problems = []
    for name in sorted(checks.names()):
        check = checks.fields(name)
        if not check.boolean("ok"):
            problems.append(f"{name}: {check.text('detail')}"[:_TEXT_LENGTH])
    return status, tuple(problems)


async def ask_handlers(
    session: aiohttp.ClientSession, handlers: Iterable[HandlerState], now: int
) -> tuple[HandlerState, ...]:
    """All handlers at once; one that hangs delays the others by the time limit of one request."""
    return tuple(await asyncio.gather(*(_ask(session, handler, now) for handler in handlers)))


async def _ask(session: aiohttp.ClientSession, handler: HandlerState, now: int) -> HandlerState:
    try:
        answer = await get(session, handler.url.rstrip("/") + "/health", _LIMITS)
    except PoolError:
        return handler.told(HandlerStatus.UNREACHABLE, (), now)
    try:
        status, problems = decode_health(answer.body)
    except DecodeError:
        # A reverse proxy says 502 to 504 when nobody is behind it.
        is_there = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        status = HandlerStatus.REACHABLE if is_there else HandlerStatus.UNREACHABLE
        return handler.told(status, (), now)
    if status is HandlerStatus.DEGRADED and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        status = HandlerStatus.DOWN
    return handler.told(status, problems, now)
