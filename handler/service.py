"""How the parts of an announcement handler are put together, started and stopped, in order."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from packetcrypt.client.daemon_thread import run_in_daemon_thread
from packetcrypt.client.http import HttpLimits
from packetcrypt.client.master import LIMITS, MasterClient
from packetcrypt.engine import AnnouncementChecker
from packetcrypt.handler.connections import HttpListener
from packetcrypt.handler.crediting import Checker, Crediting
from packetcrypt.handler.intake import Intake
from packetcrypt.handler.paylog_upload import PayLogUpload
from packetcrypt.handler.pool_follower import PoolFollower
from packetcrypt.handler.pool_state import PoolState
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.server import HandlerServer
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.statistics import HandlerStatistics
from packetcrypt.handler.storage import open_storage

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnnHandler:
    """A running announcement handler.

    port : the port it listens at, of interest if the settings left the choice to the system
    """

    settings: AnnHandlerSettings
    port: int
    statistics: HandlerStatistics
    _follower: PoolFollower

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
    clock = _StopClock(settings.shutdown_timeout)
    statistics = HandlerStatistics()
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(settings))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        follower = PoolFollower(_master(session, settings), settings, storage.follow)
        upload = PayLogUpload(session, settings, storage, lambda: follower.paymaker_url)
        stack.push_async_callback(_in_time, clock, upload.close_and_upload)

        if checker is None:
            checker = await stack.enter_async_context(_own_checker(settings))
        await follower.poll()
        crediting = Crediting(checker, storage)
        intake = Intake(crediting, settings, statistics, len(checker.devices) + 1)
        server = HandlerServer(settings, lambda: follower.state, intake, storage.files, statistics)
        http = HttpListener(server.application(), settings, listener)
        report = _StatisticsReport(settings, statistics, intake)
        following = RegularTask(settings.poll_interval, follower.poll)
        # A master that does not answer is nothing to wait for.
        stack.push_async_callback(following.finish, 0.0)
        for task in (
            RegularTask(settings.file_seconds, storage.publish),
            RegularTask(settings.paylog_seconds, upload.close_and_upload),
            RegularTask(settings.statistics_interval, report.log),
        ):
            stack.push_async_callback(_finish, clock, task)
        stack.push_async_callback(_stop_serving, clock, http, intake)
        await http.open()
        _log.info(
            "announcement handler %s takes announcements at %s (port %d)",
            *(settings.name, settings.submit_url, http.port),
        )
        yield AnnHandler(settings, http.port, statistics, follower)
        _log.info("announcement handler %s stops", settings.name)


class _StopClock:
    """The time that stopping may take, shared by everything that stops."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def left(self) -> float:
        """Seconds; the clock starts when it is first asked."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._seconds
        return max(0.0, self._end - now)


class _StatisticsReport:
    """The regular log line."""

    def __init__(
        self, settings: AnnHandlerSettings, statistics: HandlerStatistics, intake: Intake
    ) -> None:
        self._settings = settings
        self._statistics = statistics
        self._intake = intake
        self._before = statistics.snapshot()

    async def log(self) -> None:
        now = self._statistics.snapshot()
        seconds = self._settings.statistics_interval
        _log.info("%s", now.line(self._before, seconds, self._intake.queued))
        self._before = now


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


async def _stop_serving(clock: _StopClock, http: HttpListener, intake: Intake) -> None:
    http.stop_listening()
    await intake.close(clock.left())
    await http.close()


async def _finish(clock: _StopClock, task: RegularTask) -> None:
    # To the end of its round: a pay log that has been sent should be seen to be confirmed.
    await task.finish(clock.left())


async def _in_time(clock: _StopClock, action: Callable[[], Awaitable[None]]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(clock.left()):
            await action()
