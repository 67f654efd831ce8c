"""Where a service listens: for everybody, and at an address of its own for what is private."""

import asyncio
import socket
from collections.abc import Callable

from aiohttp import web

from packetcrypt.handler.connections import HttpListener, ListenSettings


class HttpListeners:
    """The listeners of one service.

    application : makes what answers: with the private routes, or without them
    listener    : a bound socket to use instead of `settings.bind`

    Without a `private_bind` there is one listener, which has all routes. With it, `bind` lacks the
    private ones.
    """

    def __init__(
        self,
        application: Callable[[bool], web.Application],
        settings: ListenSettings,
        listener: socket.socket | None = None,
    ) -> None:
        has_private = bool(settings.private_bind)
        self._public = HttpListener(application(not has_private), settings, listener)
        self._private = (
            HttpListener(application(True), settings, setting="private_bind")
            if has_private
            else None
        )
        self._all = tuple(filter(None, (self._public, self._private)))

    @property
    def port(self) -> int:
        """The port listened at for everybody."""
        return self._public.port

    @property
    def private_port(self) -> int:
        """The port where the private routes answer; the same if there is but one."""
        return self.port if self._private is None else self._private.port

    @property
    def connections(self) -> int:
        """How many are open."""
        return sum(listener.connections for listener in self._all)

    @property
    def refused(self) -> int:
        """How many were closed because too many were open."""
        return sum(listener.refused for listener in self._all)

    async def open(self) -> None:
        """Starts listening; ConfigError if an address is taken or not this machine's."""
        for listener in self._all:
            await listener.open()

    def stop_listening(self) -> None:
        """New connections are refused from here on; open ones go on."""
        for listener in self._all:
            listener.stop_listening()

    async def close(self) -> None:
        """Lets replies on their way arrive, then closes all connections."""
        await asyncio.gather(*(listener.close() for listener in self._all))
