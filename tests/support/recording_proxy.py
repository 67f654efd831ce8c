"""What services acknowledge, written down on the way: a reverse proxy between them.

What has passed the proxy was said, whatever becomes of the one who said it. A service that dies
breaks the connections of those who asked it, as without a proxy.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

_HOP_HEADERS = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "content-length"}
)
_BODY_LIMIT = 1 << 28


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, which its sender may have had; status is None if there was none."""

    path: str
    headers: dict[str, str]
    request: bytes
    status: int | None
    answer: bytes


class RecordingProxy:
    """Passes everything on to one service.

    url      : where it listens
    upstream : where the service does; set it before the first request
    note     : called with every exchange before its sender has the answer
    """

    def __init__(self, note: Callable[[Exchange], None]) -> None:
        self.url = ""
        self.upstream = ""
        self._note = note
        self._session: aiohttp.ClientSession | None = None

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_HEADERS}
        try:
            async with self._session.request(
                request.method,
                self.upstream + request.raw_path,
                data=body or None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            self._note(Exchange(request.path, headers, body, None, str(error).encode()))
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # which nobody gets any more
        except asyncio.CancelledError:
            self._note(Exchange(request.path, headers, body, None, b"the sender is gone"))
            raise
        self._note(Exchange(request.path, headers, body, response.status, answer))
        kept = {k: v for k, v in response.headers.items() if k.lower() not in _HOP_HEADERS}
        return web.Response(status=response.status, body=answer, headers=kept)


@asynccontextmanager
async def recording_proxy(note: Callable[[Exchange], None]) -> AsyncIterator[RecordingProxy]:
    """A proxy that listens on loopback."""
    proxy = RecordingProxy(note)
    application = web.Application(client_max_size=_BODY_LIMIT)
    application.router.add_route("*", "/{path:.*}", proxy._pass_on)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, auto_decompress=False
    ) as session:
        proxy._session = session
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield proxy
        finally:
            await runner.cleanup()
