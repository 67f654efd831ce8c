"""How Ctrl-C and SIGTERM end a miner in an orderly way."""

import asyncio
import signal
from typing import Final, Protocol

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Miner(Protocol):
    """What an announcement miner and a block miner have in common."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


async def run_until_signalled(miner: Miner) -> None:
    """Runs the miner; Ctrl-C or SIGTERM stops it. For programs: it takes over both signals.

    Raises what its `run` raises. Only the main thread's loop can take signals.
    """
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, miner.stop)
    try:
        await miner.run()
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
