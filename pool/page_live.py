"""How open pages hear of changes: server-sent events, drawn once for all who look.

Nothing is queued for a browser: each gets the newest of what it has not got yet, when it has taken
what it was sent before. One that takes too long is dropped, and comes again by itself.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from packetcrypt.pool.page_templates import SECTIONS, PageTemplates
from packetcrypt.pool.page_view import PoolPage
from packetcrypt.pool.paymaker_clock import milliseconds_now

BEAT_SECONDS: Final = 10.0
"""so often at least something is sent, so that proxies keep the stream and a break is noticed"""
SLOW_SECONDS: Final = 15.0
"""a browser that has not taken what it was sent by then is dropped"""


@dataclass(frozen=True)
class _Event:
    """A section as it was last sent; number counts all events."""

    number: int
    data: bytes


class LivePages:
    """The open streams, and what they are sent.

    clients_max : one more is told to come again later
    """

    def __init__(self, templates: PageTemplates, clients_max: int) -> None:
        self._templates = templates
        self._clients_max = clients_max
        self._clients = 0
        self._page: PoolPage | None = None
        self._events: dict[str, _Event] = {}
        self._number = 0
        self._changed = asyncio.Event()
        self._is_closing = False

    @property
    def clients(self) -> int:
        """How many browsers look."""
        return self._clients

    def publish(self, page: PoolPage) -> None:
        """Draws the sections that are other than before, and wakes those who wait for them."""
        before, self._page = self._page, page
        now = milliseconds_now()
        for name in SECTIONS:
            section = getattr(page, name)
            if before is None or section != getattr(before, name):
                self._number += 1
                html = self._templates.section(name, section, now)
                data = _encode("section", {"name": name, "html": html})
                self._events[name] = _Event(self._number, data)
        self._wake()

    async def serve(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        """A stream for one browser, until it leaves or is too slow, or the service stops."""
        if self._clients >= self._clients_max or self._is_closing:
            return web.Response(status=503, headers={**headers, "Retry-After": "30"})
        self._clients += 1
        try:
            response = web.StreamResponse(headers=headers)
            response.content_type = "text/event-stream"
            # Ends with a reset: a buffer that nobody reads is not waited for.
            with suppress(ConnectionError):
                await response.prepare(request)
                try:
                    await self._send_on(response)
                except TimeoutError:
                    if request.transport is not None:
                        request.transport.abort()
            return response
        finally:
            self._clients -= 1

    def close(self) -> None:
        """Ends all streams."""
        self._is_closing = True
        self._wake()

    async def _send_on(self, response: web.StreamResponse) -> None:
        sent = -1
        while not self._is_closing:
            changed = self._changed
            # All of it at first: the page that was loaded may be older than its stream.
            new = sorted(
                (event for event in self._events.values() if event.number > sent),
                key=lambda event: event.number,
            )
            pieces = [event.data for event in new]
            if sent < 0:
                pieces.insert(0, b"retry: 3000\n\n")
            sent = self._number
            pieces.append(_encode("beat", {"now": milliseconds_now()}))
            async with asyncio.timeout(SLOW_SECONDS):
                await response.write(b"".join(pieces))
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _encode(event: str, content: dict[str, object]) -> bytes:
    """One server-sent event; JSON has no line ends in it."""
    return f"event: {event}\ndata: {json.dumps(content)}\n\n".encode()
