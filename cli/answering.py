"""How a miner answers its operator while it runs, if it is told where: `--metrics`."""

import logging
from contextlib import AsyncExitStack

from packetcrypt.miner.shutdown import Miner, run_until_signalled
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.listener import answering

_log = logging.getLogger(__name__)


async def run_answering(
    miner: Miner, operations: Operations, address: tuple[str, int] | None
) -> None:
    """As `run_until_signalled`; ConfigError if the address cannot be listened at."""
    async with AsyncExitStack() as stack:
        if address is not None:
            host, port = address
            chosen = await stack.enter_async_context(answering(operations, host, port))
            _log.info("/health and /metrics are answered at %s, port %d", host, chosen)
        await run_until_signalled(miner)
