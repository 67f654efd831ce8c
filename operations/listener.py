"""Where a program that serves nobody else answers its operator, if it is told an address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from packetcrypt.operations.endpoints import HEALTH_PATH, METRICS_PATH, Operations
from packetcrypt.protocol.errors import ConfigError

_IDLE_SECONDS: Final = 30.0
_REPLY_SECONDS: Final = 0.1
"""when stopping: answers come from memory, and a miner promises to stop soon"""


@asynccontextmanager
async def answering(operations: Operations, host: str, port: int) -> AsyncIterator[int]:
    """Answers `/health` and `/metrics` until the context is left; gives the port.

    Port 0 lets the system choose. ConfigError if the address is taken or not this machine's. For
    addresses that only the operator reaches: connections are not counted.
    """
    application = web.Application(middlewares=[operations.middleware()])
    application.router.add_get(HEALTH_PATH, operations.get_health)
    application.router.add_get(METRICS_PATH, operations.get_metrics)
    runner = web.AppRunner(
        application,
        access_log=None,
        keepalive_timeout=_IDLE_SECONDS,
        shutdown_timeout=_REPLY_SECONDS,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"cannot listen at {host}, port {port} ({error.strerror or error}): give an "
                "address of this machine and a free port"
            ) from error
        chosen: int = runner.addresses[0][1]
        yield chosen
    finally:
        await runner.cleanup()
