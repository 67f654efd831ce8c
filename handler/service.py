"""How the parts of an announcement handler are put together, started and stopped, in order."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from packetcrypt.client.daemon_thread import run_in_daemon_thread
from packetcrypt.client.http import HttpLimits
from packetcrypt.client.master import LIMITS, MasterClient
from packetcrypt.engine import AnnouncementChecker
from packetcrypt.handler.ann_operations import METRICS, SERVICE, AnnOperations
from packetcrypt.handler.client_limit import ClientLimit
from packetcrypt.handler.crediting import Checker, Crediting
from packetcrypt.handler.disk_probe import PROBE_SECONDS, DiskProbe
from packetcrypt.handler.intake import Intake
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.paylog_upload import PayLogUpload
from packetcrypt.handler.pool_follower import PoolFollower
from packetcrypt.handler.pool_state import PoolState
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.server import HandlerServer
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.sprayer_service import RunningSprayer, running_sprayer
from packetcrypt.handler.statistics import HandlerStatistics, StatisticsReport
from packetcrypt.handler.stopping import StopClock
from packetcrypt.handler.storage import open_storage
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Health

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnnHandler:
    """A running announcement handler.

    port         : the port it listens at, of interest if the settings left the choice to the system
    private_port : the one that has /metrics
    sprayer      : if it sprays
    """

    settings: AnnHandlerSettings
    port: int
    private_port: int
    statistics: HandlerStatistics
    _follower: PoolFollower
    sprayer: RunningSprayer | None

    @property
    def state(self) -> PoolState | None:
        """What the pool asks now; None: not ready."""
        return self._follower.state


@asynccontextmanager
async def running_ann_handler(
    settings: AnnHandlerSettings,
    *,
    checker: Checker | None = None,
    listener: socket.socket | None = None,
) -> AsyncIterator[AnnHandler]:
    """An announcement handler that runs until the context is left.

        async with running_ann_handler(settings):
            await stop.wait()

    Leaving finishes the posts that were taken in, publishes and closes all files, and tries once to
    upload the pay log, in `settings.shutdown_timeout` altogether. Raises `ConfigError` if the
    folder, the address or the choice of devices cannot be used, `DeviceError` if none of the
    devices checks correctly.

    checker  : used instead of an `AnnouncementChecker` on the settings' devices; not closed then
    listener : a bound socket to listen at instead of `settings.bind`
    """
    clock = StopClock(settings.shutdown_timeout)
    statistics = HandlerStatistics()
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(settings))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        follower = PoolFollower(_master(session, settings), settings, storage.follow)
        upload = PayLogUpload(
            session, settings, storage.paylog, storage.disk, lambda: follower.paymaker_url
        )
        stack.push_async_callback(clock.in_time, upload.close_and_upload)

        if checker is None:
            checker = await stack.enter_async_context(_own_checker(settings))
        await follower.poll()
        sprayer = None
        if settings.sprayer is not None:
            sprayer = await stack.enter_async_context(running_sprayer(settings.sprayer))
        crediting = Crediting(checker, storage, None if sprayer is None else sprayer.spray)
        intake = Intake(crediting, settings, statistics, len(checker.devices) + 1)
        limit = ClientLimit(settings.max_waiting_per_client, statistics)
        disk = DiskProbe(settings.workdir, storage.disk.run)
        await disk.look()
        await upload.look()
        reading = AnnOperations(
            settings=settings,
            follower=follower,
            checker=checker,
            crediting=crediting,
            intake=intake,
            limit=limit,
            statistics=statistics,
            storage=storage,
            upload=upload,
            disk=disk,
            sprayer=sprayer,
        )
        operations = Operations(
            Health(SERVICE, settings.name, reading.checks),
            METRICS,
            lambda: reading.readings(http),
            settings.public_path,
        )
        server = HandlerServer(
            settings,
            lambda: follower.state,
            intake,
            storage.files,
            statistics,
            limit,
            operations,
        )
        http = HttpListeners(server.application, settings, listener)
        report = StatisticsReport(statistics, settings.statistics_interval, lambda: intake.queued)
        following = RegularTask(settings.poll_interval, follower.poll)
        # A master that does not answer is nothing to wait for.
        stack.push_async_callback(following.finish, 0.0)
        looking = RegularTask(PROBE_SECONDS, disk.look)
        stack.push_async_callback(looking.finish, 0.0)
        for task in (
            RegularTask(settings.file_seconds, storage.publish),
            RegularTask(settings.paylog_seconds, upload.close_and_upload),
            RegularTask(settings.statistics_interval, report.log),
        ):
            stack.push_async_callback(clock.finish, task)
        stack.push_async_callback(_stop_serving, clock, http, intake)
        await http.open()
        _log.info(
            "announcement handler %s takes announcements at %s (port %d)",
            *(settings.name, settings.submit_url, http.port),
        )
        yield AnnHandler(settings, http.port, http.private_port, statistics, follower, sprayer)
        _log.info("announcement handler %s stops", settings.name)


def _master(session: aiohttp.ClientSession, settings: AnnHandlerSettings) -> MasterClient:
    limits = HttpLimits(LIMITS.body_size, settings.master_timeout)
    return MasterClient(session, settings.pool.master_url, limits)


@asynccontextmanager
async def _own_checker(settings: AnnHandlerSettings) -> AsyncIterator[Checker]:
    # Choosing probes the runtimes in child processes: seconds, or a minute if a driver hangs.
    checker = await run_in_daemon_thread(
        AnnouncementChecker, settings.devices, settings.threads or None
    )
    try:
        # Nobody is told to come before posts can be checked; compiling may take half a minute.
        await asyncio.wrap_future(checker.ready)
        yield checker
    finally:
        await asyncio.to_thread(checker.close)


async def _stop_serving(clock: StopClock, http: HttpListeners, intake: Intake) -> None:
    http.stop_listening()
    await intake.close(clock.left())
    await http.close()
