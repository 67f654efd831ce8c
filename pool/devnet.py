"""What `packetcrypt devnet` runs: a whole pool and its chain, mining, as processes on loopback.

    devchain ◀── master ◀── ann ──▶ ah0 … ──▶ blk ──▶ bh0 ──▶ devchain
        ▲                            └─── pay logs ────┘
        └──────── paymaker ◀─────────────────┘

All of it is the real thing, one process a service, but the chain, which is a development one. This
process only watches: it starts the others again when they end, and sums up.
"""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.workdir import LockedFolder
from packetcrypt.pool.devnet_counts import MinerCounts
from packetcrypt.pool.devnet_plan import stages
from packetcrypt.pool.devnet_ports import ReservedPorts
from packetcrypt.pool.devnet_progress import Progress, watching
from packetcrypt.pool.devnet_settings import (
    NODE_USER,
    POOL_TOML,
    DevnetSettings,
    DevnetUrls,
    Passwords,
    write_pool_toml,
)
from packetcrypt.pool.devnet_summary import Summary
from packetcrypt.pool.devnet_supervisor import RECORD, Show, Supervisor, supervising
from packetcrypt.protocol.errors import ConfigError

LOOK_SECONDS: Final = 1.0
LINE_SECONDS: Final = 10.0
"""between two log lines about how it goes"""
FINDER_SECONDS: Final = 20.0
"""after the last block: in which the paymaker must have heard who found it"""
INTERRUPTED_SECONDS: Final = 4.0
"""likewise, if somebody waits for the end: a handler tells it every two seconds"""

_log = logging.getLogger(__name__)


@contextmanager
def devnet_folder(folder: Path | None) -> Iterator[Path]:
    """The folder of a devnet while it runs; None: a temporary one, which is removed at the end.

    ConfigError if it is another pool's folder, or a devnet runs in it.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="packetcrypt-devnet-") as temporary:
            yield Path(temporary)
        return
    if (folder / POOL_TOML).exists() and not (folder / RECORD).exists():
        raise ConfigError(
            f"{folder}: has a {POOL_TOML}, but no {RECORD}: it is another pool's folder, and its "
            "settings would be overwritten. Give another one"
        )
    with LockedFolder(folder):
        yield folder


async def run_devnet(
    settings: DevnetSettings,
    blocks: int | None,
    stop: asyncio.Event,
    command: Sequence[str],
    show: Show,
) -> Summary:
    """Runs until so many blocks were mined, or until `stop`; returns what was done.

    blocks  : None: there is no end but `stop`
    command : what runs `packetcrypt`, see `stages`
    show    : called with a service's name and a line of its log

    Raises `ServiceFailed` if a service cannot be kept running, `ConfigError` if a port or the
    folder cannot be used. All processes have ended when it returns or raises.
    """
    with ReservedPorts(DevnetUrls.count(settings.handlers), settings.first_port) as ports:
        urls = DevnetUrls.at(ports.numbers, settings.handler_names)
        passwords = Passwords()
        write_pool_toml(settings, urls, passwords)
        node = PktdSettings(url=urls.chain, user=NODE_USER, password=passwords.node)
        plan = stages(settings, urls, passwords, command)
        counts = MinerCounts()

        def show_and_count(name: str, line: str) -> None:
            show(name, line)
            counts.note(name, line)

        async with (
            supervising(plan, settings.folder, show_and_count, f"{urls.master}/") as supervisor,
            watching(node, urls, counts, blocks) as progress,
        ):
            _log.info("starting %d services in %s", sum(map(len, plan)), settings.folder)
            await _first_of(_mine(supervisor, progress, urls), supervisor.failure(), stop.wait())
            if stop.is_set():
                await progress.learn_finders(INTERRUPTED_SECONDS)
            _log.info("stopping all services")
        return progress.summary()


async def _mine(supervisor: Supervisor, progress: Progress, urls: DevnetUrls) -> None:
    """Returns when the wanted blocks were mined, and it is known who found them."""
    await supervisor.start()
    _log.info("all services run; the pool page is at %s/", urls.master)
    loop = asyncio.get_running_loop()
    said_at = loop.time()
    while not progress.is_complete:
        await asyncio.sleep(LOOK_SECONDS)
        await progress.look()
        progress.announce_blocks()
        if loop.time() - said_at >= LINE_SECONDS:
            said_at = loop.time()
            progress.say()
    await progress.learn_finders(FINDER_SECONDS)


async def _first_of(*awaitables: Awaitable[object]) -> None:
    """Waits for the first of them to return or raise, and cancels the others."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
