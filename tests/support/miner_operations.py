"""A miner that runs and answers its operator, until a test is done with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp

from packetcrypt.miner.shutdown import Miner
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.listener import answering


@asynccontextmanager
async def answering_miner(
    miner: Miner, operations: Operations
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A session, and where /health and /metrics are; the miner is stopped at the end."""
    async with (
        answering(operations, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        running = asyncio.create_task(miner.run())
        try:
            yield session, f"http://127.0.0.1:{port}"
        finally:
            miner.stop()
            await running


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Asks again and again; fails after half a minute."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)
