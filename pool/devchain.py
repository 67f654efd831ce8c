"""How the parts of a development chain are put together, started and stopped.

It stands in for pktd where a pool is developed and tried. Its blocks are mined in earnest, as the
protocol says; but there is no network behind it, no currency, and nothing on it has any value.
"""

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from packetcrypt.handler.disk_probe import PROBE_SECONDS, DiskProbe
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.workdir import LockedFolder
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Health
from packetcrypt.pool.devchain_calls import DevchainCalls
from packetcrypt.pool.devchain_faults import Faults
from packetcrypt.pool.devchain_journal import ChainJournal
from packetcrypt.pool.devchain_node import DevchainNode
from packetcrypt.pool.devchain_operations import METRICS, SERVICE, DevchainOperations
from packetcrypt.pool.devchain_server import DevchainServer
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.pool.devchain_statistics import DevchainStatistics
from packetcrypt.pool.devchain_surprises import Surprises

_LOOK_SECONDS: Final = 0.5
"""how often it is looked whether a block is overdue"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Devchain:
    """A running development chain; `port` is the one it listens at."""

    settings: DevchainSettings
    port: int
    node: DevchainNode


@asynccontextmanager
async def running_devchain(
    settings: DevchainSettings,
    *,
    listener: socket.socket | None = None,
    chance: random.Random | None = None,
) -> AsyncIterator[Devchain]:
    """A development chain that runs until the context is left.

    listener : a bound socket to listen at instead of `settings.bind`
    chance   : what decides about faults and reorganisations, and makes blocks up

    Raises `ConfigError` if the folder, the chain's file or the address cannot be used.
    """
    chance = chance or random.SystemRandom()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(LockedFolder(settings.pool.root_workdir / "devchain"))
        disk = DiskThread()
        stack.callback(disk.close)
        journal = await asyncio.to_thread(ChainJournal, folder.path)
        stack.callback(journal.close)
        if journal.cut:
            _log.warning("a block or payout that was half written was cut off (%d B)", journal.cut)
        statistics = DevchainStatistics()
        node = DevchainNode(
            journal, disk, settings.block_seconds, settings.set_size, chance, statistics
        )
        stack.push_async_callback(node.close)
        await node.begin(settings.first_height)
        surprises = Surprises(node, settings, chance)
        stack.push_async_callback(surprises.close)
        looking = RegularTask(_LOOK_SECONDS, surprises.make_up_if_overdue)
        stack.push_async_callback(looking.finish, 0.0)
        faults = Faults(settings.refuse, settings.drop, settings.delay, settings.delay_seconds)
        calls = DevchainCalls(node, surprises.block_came, statistics)
        probe = DiskProbe(folder.path, disk.run)
        await probe.look()
        probing = RegularTask(PROBE_SECONDS, probe.look)
        stack.push_async_callback(probing.finish, 0.0)
        reading = DevchainOperations(
            settings=settings, statistics=statistics, node=node, disk=probe
        )
        operations = Operations(
            Health(SERVICE, "", reading.checks), METRICS, lambda: reading.readings(http)
        )
        server = DevchainServer(settings.pktd, calls, faults, chance, statistics, operations)
        http = HttpListeners(server.application, settings, listener)
        stack.push_async_callback(http.close)
        await http.open()
        tip = node.tree.tip
        _log.info(
            "%d blocks, the tip is %d %s…; a block is to take %g s",
            *(len(node.tree), tip.height, tip.hash[::-1].hex()[:16], settings.block_seconds),
        )
        url = f"http://{settings.address[0]}:{http.port}"
        _log.info(
            "nothing here has any value: development chain answers at %s (port %d)", url, http.port
        )
        yield Devchain(settings, http.port, node)
        _log.info("development chain stops")
