"""How Ctrl-C and SIGTERM end a miner in an orderly way."""

import asyncio
import signal
from typing import Final

from packetcrypt.miner.announcement_miner import AnnouncementMiner

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def run_until_signalled(miner: AnnouncementMiner) -> None:
    """Runs the miner; Ctrl-C or SIGTERM stops it. For programs: it takes over both signals.

    Raises what `AnnouncementMiner.run` raises. Only the main thread's loop can take signals.
    """
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, miner.stop)
    try:
        await miner.run()
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
