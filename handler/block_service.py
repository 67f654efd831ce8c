"""How the parts of a block handler are put together, started and stopped, in order."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from packetcrypt.client.http import HttpLimits
from packetcrypt.client.master import LIMITS, MasterClient
from packetcrypt.client.pktd import pktd_client
from packetcrypt.handler.block_follower import BlockFollower
from packetcrypt.handler.block_journal import BlockJournal
from packetcrypt.handler.block_judging import BlockJudging
from packetcrypt.handler.block_operations import METRICS, SERVICE, BlockOperations
from packetcrypt.handler.block_server import BlockServer
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.block_state import BlockState
from packetcrypt.handler.block_statistics import BlockStatistics
from packetcrypt.handler.block_watch import BlockWatch
from packetcrypt.handler.disk_probe import PROBE_SECONDS, DiskProbe
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.paylog import PayLog
from packetcrypt.handler.paylog_upload import PayLogUpload
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.statistics import StatisticsReport
from packetcrypt.handler.stopping import StopClock
from packetcrypt.handler.workdir import WorkDir
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Health

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BlockHandler:
    """A running block handler.

    port         : the port it listens at, of interest if the settings left the choice to the system
    private_port : the one that has /metrics
    """

    settings: BlockHandlerSettings
    port: int
    private_port: int
    statistics: BlockStatistics
    _follower: BlockFollower

    @property
    def state(self) -> BlockState | None:
        """What is mined now; None: not ready."""
        return self._follower.state


@asynccontextmanager
async def running_block_handler(
    settings: BlockHandlerSettings, *, listener: socket.socket | None = None
) -> AsyncIterator[BlockHandler]:
    """A block handler that runs until the context is left.

        async with running_block_handler(settings):
            await stop.wait()

    Leaving finishes the shares that were taken in, closes the pay log, and tries once to upload it,
    in `settings.shutdown_timeout` altogether. Raises `ConfigError` if the folder, the address or
    the node's certificate cannot be used. A master or node that does not answer is waited for.

    listener : a bound socket to listen at instead of `settings.bind`
    """
    clock = StopClock(settings.shutdown_timeout)
    statistics = BlockStatistics()
    async with AsyncExitStack() as stack:
        disk, paylog = await stack.enter_async_context(_open_paylog(settings))
        journal = BlockJournal(paylog, disk)
        await journal.recover()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        pktd = await stack.enter_async_context(pktd_client(settings.pktd))
        limits = HttpLimits(LIMITS.body_size, settings.master_timeout)
        master = MasterClient(session, settings.pool.master_url, limits)
        follower = BlockFollower(master, settings)
        upload = PayLogUpload(session, settings, paylog, disk, lambda: follower.paymaker_url)
        stack.push_async_callback(clock.in_time, upload.close_and_upload)

        watch = BlockWatch(pktd, journal)
        # Shares are paid by the newest block before them, so it is looked for before the first.
        probe = DiskProbe(settings.workdir, disk.run)
        await asyncio.gather(follower.poll(), watch.look(), probe.look(), upload.look())
        judging = BlockJudging(pktd, journal, settings, statistics)
        reading = BlockOperations(settings, follower, watch, judging, upload, probe)
        operations = Operations(
            Health(SERVICE, settings.name, reading.checks),
            METRICS,
            lambda: reading.readings(statistics, server.clients, http),
            settings.public_path,
        )
        server = BlockServer(settings, lambda: follower.state, judging, statistics, operations)
        http = HttpListeners(server.application, settings, listener)
        report = StatisticsReport(statistics, settings.statistics_interval, lambda: judging.queued)
        for asking in (follower.poll, follower.wait_for_next, watch.look):
            # Whoever does not answer is nothing to wait for.
            task = RegularTask(settings.poll_interval, asking)
            stack.push_async_callback(task.finish, 0.0)
        probing = RegularTask(PROBE_SECONDS, probe.look)
        stack.push_async_callback(probing.finish, 0.0)
        for task in (
            RegularTask(settings.paylog_seconds, upload.close_and_upload),
            RegularTask(settings.statistics_interval, report.log),
        ):
            stack.push_async_callback(clock.finish, task)
        stack.push_async_callback(_stop_serving, clock, http, judging)
        await http.open()
        _log.info(
            "block handler %s takes shares at %s (port %d)",
            *(settings.name, settings.submit_url, http.port),
        )
        yield BlockHandler(settings, http.port, http.private_port, statistics, follower)
        _log.info("block handler %s stops", settings.name)


@asynccontextmanager
async def _open_paylog(settings: BlockHandlerSettings) -> AsyncIterator[tuple[DiskThread, PayLog]]:
    """The handler's folder, locked, and its pay log, with what the last run left in it."""
    disk = DiskThread()
    try:
        with WorkDir(settings.workdir, has_announcements=False) as workdir:
            paylog = await disk.run(PayLog, workdir.paylogs, settings.paylog_bytes)
            try:
                yield disk, paylog
            finally:
                await disk.run(paylog.close)
    finally:
        disk.close()


async def _stop_serving(clock: StopClock, http: HttpListeners, judging: BlockJudging) -> None:
    http.stop_listening()
    await judging.close(clock.left())
    await http.close()
