"""How the parts of a pool's paymaker are put together, started and stopped, in order."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from packetcrypt.client.pktd import pktd_client
from packetcrypt.handler.disk_probe import PROBE_SECONDS, DiskProbe
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.statistics import StatisticsReport
from packetcrypt.handler.workdir import LockedFolder
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Health
from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.paymaker_blocks import BlockList
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_difficulty import FirstDifficulty
from packetcrypt.pool.paymaker_history import History
from packetcrypt.pool.paymaker_intake import PaymakerIntake
from packetcrypt.pool.paymaker_operations import METRICS, SERVICE, PaymakerOperations
from packetcrypt.pool.paymaker_payouts import Payouts
from packetcrypt.pool.paymaker_reckoning import Reckoning
from packetcrypt.pool.paymaker_server import PaymakerServer
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics
from packetcrypt.pool.paymaker_stats import PaymakerStats

_LOOK_SECONDS: Final = 1.0
"""how often it is looked whether there is something to ask or to tell the node"""
_FORGET_SECONDS: Final = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Paymaker:
    """A running paymaker; `port` is the one it listens at, `private_port` takes events."""

    settings: PaymakerSettings
    port: int
    private_port: int
    statistics: PaymakerStatistics


@asynccontextmanager
async def running_paymaker(
    settings: PaymakerSettings, *, listener: socket.socket | None = None
) -> AsyncIterator[Paymaker]:
    """A paymaker that runs until the context is left.

    listener : a bound socket to listen at instead of `settings.bind`

    It starts without its node, too. Raises `ConfigError` if the folder, the ledger or the address
    cannot be used, `LedgerError` if the ledger cannot be read.
    """
    statistics = PaymakerStatistics()
    history = History(is_signing=bool(settings.pool.private_seed))
    async with AsyncExitStack() as stack:
        stack.enter_context(LockedFolder(settings.workdir))
        ledger = await asyncio.to_thread(Ledger, settings.ledger)
        stack.callback(ledger.close)
        began = time.perf_counter()
        history.add(await asyncio.to_thread(ledger.history, _oldest(settings)))
        counts = await asyncio.to_thread(ledger.counts)
        _log.info(
            "%d events of the last %g s, of %d in the ledger, read in %.1f s",
            *(history.size().events, settings.history, counts.events),
            time.perf_counter() - began,
        )
        disk = DiskThread()
        stack.callback(disk.close)
        node = await stack.enter_async_context(pktd_client(settings.pktd))
        difficulty = FirstDifficulty(node, ledger, history, disk)
        await difficulty.recover()
        reckoning = Reckoning(history, settings)
        payouts = Payouts(node, reckoning, settings, statistics)
        intake = PaymakerIntake(ledger, history, disk, statistics)
        stats = PaymakerStats(counts, statistics, history, reckoning)
        probe = DiskProbe(settings.workdir, disk.run)
        await probe.look()
        reading = PaymakerOperations(
            settings=settings,
            statistics=statistics,
            history=history,
            intake=intake,
            reckoning=reckoning,
            payouts=payouts,
            disk=probe,
        )
        operations = Operations(
            Health(SERVICE, "", reading.checks),
            METRICS,
            lambda: reading.readings(http),
            settings.public_path,
        )
        blocks = BlockList(ledger, disk)
        server = PaymakerServer(settings, intake, reckoning, stats, blocks, operations)
        http = HttpListeners(server.application, settings, listener)
        report = StatisticsReport(statistics, settings.statistics_interval, lambda: intake.waiting)

        async def talk_to_node() -> None:
            await difficulty.ask_if_unknown()
            await payouts.tell_if_due()

        async def forget() -> None:
            history.forget_before(_oldest(settings))

        for task in (
            # A node that does not answer is nothing to wait for.
            RegularTask(_LOOK_SECONDS, talk_to_node),
            RegularTask(_FORGET_SECONDS, forget),
            RegularTask(PROBE_SECONDS, probe.look),
            RegularTask(settings.statistics_interval, report.log),
        ):
            stack.push_async_callback(task.finish, 0.0)
        stack.push_async_callback(http.close)
        await http.open()
        _log.info("paymaker takes events (port %d)", http.private_port)
        if settings.private_bind:
            _log.info("paymaker answers everybody else at port %d", http.port)
        yield Paymaker(settings, http.port, http.private_port, statistics)
        _log.info("paymaker stops")


def _oldest(settings: PaymakerSettings) -> int:
    """The time from which on events are kept in memory."""
    return milliseconds_now() - settings.history_milliseconds
