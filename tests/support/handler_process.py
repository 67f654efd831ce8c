"""A handler as a process of its own, which a test can kill.

    python handler_process.py POOL_TOML NAME

Prints its port when it is ready. Ends like `packetcrypt ah` on SIGTERM. It checks with the plain
referee, because what is tested is what survives the process.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from handler_plain_checker import PlainChecker

from packetcrypt.handler.service import running_ann_handler
from packetcrypt.handler.settings_file import load_ann_handler_settings


async def serve(settings_file: Path, name: str) -> None:
    settings = load_ann_handler_settings(settings_file, name)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with running_ann_handler(settings, checker=PlainChecker()) as handler:
        print(handler.port, flush=True)
        await stop.wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
