"""How many connections a handler holds, for how long, and what it says about broken ones."""

import asyncio
import logging
import socket
from typing import Literal, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from packetcrypt.handler.listen_address import listen_address
from packetcrypt.handler.open_files import room_for_connections
from packetcrypt.protocol.errors import ConfigError

_log = logging.getLogger(__name__)

_REPLY_SECONDS = 5.0
"""when stopping: for replies that are ready to reach their clients"""

_BACKLOG = 128


class ListenSettings(Protocol):
    """What is set about listening (see `HandlerSettings`)."""

    @property
    def bind(self) -> str: ...
    @property
    def private_bind(self) -> str: ...
    @property
    def max_connections(self) -> int: ...
    @property
    def idle_timeout(self) -> float: ...


class HttpListener:
    """An aiohttp application behind bounded connections.

    application : what answers
    listener    : a bound socket to use instead of what the settings say
    setting     : which of them says it
    refused     : connections that were closed because too many were open
    """

    def __init__(
        self,
        application: web.Application,
        settings: ListenSettings,
        listener: socket.socket | None = None,
        setting: Literal["bind", "private_bind"] = "bind",
    ) -> None:
        self.refused = 0
        self._settings = settings
        self._setting = setting
        self._bind = settings.bind if setting == "bind" else settings.private_bind
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._room = 0
        logger = logging.getLogger("packetcrypt.handler.http")
        logger.addFilter(_name_client_mistakes)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=logger,
            # Closes a connection on which no complete request head has come, too.
            keepalive_timeout=settings.idle_timeout,
            # Bodies are taken as they are: a compressed one could grow a thousandfold.
            auto_decompress=False,
            shutdown_timeout=_REPLY_SECONDS,
        )

    @property
    def port(self) -> int:
        """The port listened at."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many are open."""
        server = self._runner.server
        return 0 if server is None else len(server.connections)

    async def open(self) -> None:
        """Starts listening; ConfigError if the address is taken or not this machine's."""
        self._room = room_for_connections(self._settings.max_connections)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            if self._listener is not None:
                self._server = await loop.create_server(
                    self._protocol, sock=self._listener, backlog=_BACKLOG
                )
            else:
                host, port = listen_address(self._bind, self._setting)
                self._server = await loop.create_server(
                    self._protocol, host, port, backlog=_BACKLOG
                )
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f'{self._setting} = "{self._bind}": cannot listen there '
                f"({error.strerror or error}): give an address of this machine and a free port"
            ) from error

    def stop_listening(self) -> None:
        """New connections are refused from here on; open ones go on."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Lets replies on their way arrive, then closes all connections."""
        self.stop_listening()
        await self._runner.cleanup()

    def _protocol(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server is not None
        if len(server.connections) >= self._room:
            self.refused += 1
            return _Refusal()
        return server()


class _Refusal(asyncio.Protocol):
    """A connection too many. It is closed without an answer: writing one could block as well."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        _log.debug("a connection was closed: max_connections are open")
        transport.close()


def _name_client_mistakes(record: logging.LogRecord) -> bool:
    """Makes one line of aiohttp's traceback about a malformed request: a client's mistake."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg = f"refused a malformed HTTP request: {type(error).__name__}"
        record.args = ()
        record.exc_info = None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True
