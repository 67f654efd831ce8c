"""How blocks are mined for a pool: follow it, collect announcements, send shares, report.

    PoolDownloads ───────┐
    SprayerSubscription ─┴▶ AnnouncementIntake ──add()──▶ engine ──get()──▶ sharing
                                                            ▲                  │
             BlockFollower ────────────start()──────────────┘        ShareUploads ──▶

One event loop does all of it but waiting for the engine and the sprayers, which have threads. Every
task belongs to a task group of `run`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
import numpy as np
import numpy.typing as npt

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.master import MasterClient
from packetcrypt.client.resolver import DaemonResolver
from packetcrypt.client.sprayer_subscription import SprayerSubscription
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_statistics import BlockEngineStatistics
from packetcrypt.miner.announcement_downloads import INDEX_INTERVAL
from packetcrypt.miner.announcement_intake import (
    AnnouncementIntake,
    AnnouncementStore,
    Checker,
    NothingChecks,
)
from packetcrypt.miner.block_follower import POLL_INTERVAL, BlockFollower, BlockMinerView
from packetcrypt.miner.block_log_line import format_block_report
from packetcrypt.miner.block_report import BlockMinerReading, BlockMinerState, report_between
from packetcrypt.miner.block_settings import BlockMinerSettings
from packetcrypt.miner.chain import ParentHashes
from packetcrypt.miner.pool_downloads import PoolDownloads
from packetcrypt.miner.share_check import GOOD, ShareChecker
from packetcrypt.miner.share_uploads import ShareUploads
from packetcrypt.miner.task_failures import first_failure
from packetcrypt.protocol.errors import DecodeError, PacketCryptError
from packetcrypt.protocol.work_file import BlockWork

_log = logging.getLogger(__name__)

_DNS_CACHE_SECONDS: Final = 300
_SPRAYERS: Final = "the sprayers"


class ShareSource(AnnouncementStore, Protocol):
    """What the miner needs of a `BlockEngine`; `start` and `pause` must not block."""

    def start(self, work: BlockWork) -> None: ...
    def pause(self) -> None: ...
    def get(self, timeout: float | None = None) -> FoundShare | None: ...
    def statistics(self) -> BlockEngineStatistics: ...


@dataclass(frozen=True)
class BlockMinerTiming:
    """How often things happen, in seconds.

    poll   : from one poll of the pool to the next
    index  : from one look at what a handler offers to the next
    report : covered by a log line
    take   : how long one wait for the engine or the sprayers may last
    drain  : for taking what is found already from the engine when the miner stops
    flush  : for sending what is queued then. With `take`, `drain` and the second that closing the
             engine may take, a miner stops in less than three seconds
    """

    poll: float = POLL_INTERVAL
    index: float = INDEX_INTERVAL
    report: float = 10.0
    take: float = 0.2
    drain: float = 0.2
    flush: float = 1.5


class BlockMiner:
    """Mines blocks for the pool of its settings until `stop`.

    The engine and the checker stay the caller's: they must be open, and are not closed. `run` may
    be called once.
    """

    def __init__(
        self,
        settings: BlockMinerSettings,
        engine: ShareSource,
        checker: Checker,
        *,
        timing: BlockMinerTiming | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._checker = checker
        self._timing = timing or BlockMinerTiming()
        self._complaints = Complaints(_log, clock)
        self._subscription: SprayerSubscription | None = None
        self._stopping = asyncio.Event()
        self._failure: PacketCryptError | None = None
        self._is_assembled = False

    async def run(self) -> None:
        """Mines until `stop`, then sends the shares that are queued, in less than three seconds.

        A pool that is down is waited for. Raises `PoolError` if its first answer shows that the URL
        is no pool's, `ConfigError` if sprayed announcements cannot be received at the address that
        the settings say, and `DeviceError` if no device is left to mine or to check with.
        """
        try:
            async with AsyncExitStack() as stack:
                connector = aiohttp.TCPConnector(
                    limit=0, resolver=DaemonResolver(), ttl_dns_cache=_DNS_CACHE_SECONDS
                )
                session = await stack.enter_async_context(
                    aiohttp.ClientSession(connector=connector)
                )
                subscription = self._settings.subscription
                if subscription is not None:
                    self._subscription = stack.enter_context(SprayerSubscription(subscription))
                self._assemble(session)
                uploading = asyncio.create_task(self._uploads.run(), name="upload shares")
                try:
                    await self._mine()
                finally:
                    await self._flush(uploading)
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from failures
        self._report()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ends `run` soon. For the event loop's thread, e.g. for a signal handler of the loop."""
        self._engine.pause()
        self._stopping.set()

    def state(self) -> BlockMinerState | None:
        """How things stand; None before `run` has begun."""
        if not self._is_assembled:
            return None
        return BlockMinerState(
            reading=self._read(),
            height=self._height,
            received=self._intake.all_counts,
            shares_waiting=self._uploads.waiting,
            contact=self._follower.contact,
            poll_interval=self._timing.poll,
        )

    def _assemble(self, session: aiohttp.ClientSession) -> None:
        settings, timing = self._settings, self._timing
        self._session = session
        master = MasterClient(session, settings.pool)
        parents = ParentHashes(master)
        self._intake = AnnouncementIntake(
            self._engine, parents, self._checker, settings.trust, self._complaints
        )
        self._downloads = PoolDownloads(
            session,
            settings.handler_pass,
            settings.downloaders,
            self._intake.wanted,
            self._take_in,
            self._complaints,
            timing.index,
        )
        self._follower = BlockFollower(
            master, parents, self._complaints, self._on_change, timing.poll
        )
        self._share_checker = ShareChecker(parents, self._checker)
        self._uploads = ShareUploads(
            session,
            settings.payment_addr,
            settings.uploaders,
            settings.upload_timeout,
            self._is_current,
            self._complaints,
        )
        self._reported = self._read()
        self._is_assembled = True

    async def _mine(self) -> None:
        async with asyncio.TaskGroup() as mining:
            tasks = [
                mining.create_task(self._follower.follow(), name="follow the pool"),
                mining.create_task(self._downloads.run(), name="download announcements"),
                mining.create_task(self._report_regularly(), name="report"),
            ]
            if self._subscription is not None:
                receive = self._receive(self._subscription)
                tasks.append(mining.create_task(receive, name="receive announcements"))
            sharing = mining.create_task(self._take_shares(), name="take shares")
            await self._stopping.wait()
            for task in tasks:
                task.cancel()
            await asyncio.wait([sharing], timeout=self._timing.take + self._timing.drain)
            sharing.cancel()  # if shares are so easy that the engine has more of them than time is

    async def _on_change(self, view: BlockMinerView) -> None:
        """Does what the pool's new view asks for: other handlers, other work."""
        self._uploads.set_handlers(view.config.submit_block_urls)
        self._downloads.set_handlers(view.config.download_ann_urls)
        if view.replaced:
            await self._intake.forget_parents(view.replaced)
        if self._stopping.is_set():
            return
        try:
            self._engine.start(view.work)
        except DecodeError as error:
            self._complaints.report(
                (self._settings.pool, "work"),
                f"{self._settings.pool} gives work that cannot be mined: {error}.",
            )
            return
        _log.info(
            "Mining block %d on %s…, share target %#010x",
            view.work.height,
            view.config.tip_hash[::-1].hex()[:16],
            view.work.share_target,
        )

    async def _receive(self, subscription: SprayerSubscription) -> None:
        while True:
            announcements = await asyncio.to_thread(subscription.get, self._timing.take)
            if len(announcements):
                await self._take_in(_SPRAYERS, announcements)
            else:
                # One that failed, which it has logged, does not wait any more: nor may this spin.
                await asyncio.sleep(self._timing.take)

    async def _take_shares(self) -> None:
        """Takes what the engine finds; ends when the miner stops and nothing is left in it."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="take-shares") as thread:
            while True:
                stopping = self._stopping.is_set()
                wait = 0.0 if stopping else self._timing.take
                try:
                    share = await loop.run_in_executor(thread, self._engine.get, wait)
                except PacketCryptError as error:
                    self._fail(error)
                    return
                if share is not None:
                    await self._pass_on(share)
                elif stopping:
                    return

    async def _take_in(self, source: str, announcements: npt.NDArray[np.uint8]) -> None:
        try:
            await self._intake.take(source, announcements)
        except NothingChecks as error:
            self._fail(error)

    def _fail(self, error: PacketCryptError) -> None:
        """End `run` with this error; what is queued is still worth sending before."""
        self._failure = self._failure or error
        self._stopping.set()

    async def _pass_on(self, share: FoundShare) -> None:
        """Queue a share for upload, unless it would be refused."""
        if not self._is_current(share):
            # At once: a check takes its time, and shares of new work wait behind this one.
            self._uploads.lose()
            return
        try:
            verdict = await self._share_checker.check(share)
        except asyncio.CancelledError:
            # The miner stops. Better a share that may be refused than one that is thrown away.
            self._uploads.add(share)
            raise
        if verdict is not None and verdict.result in GOOD:
            self._uploads.add(share)
            return
        self._uploads.lose()
        if verdict is not None:
            self._complaints.report(
                ("share check", verdict.name),
                f"a share is not sent because the pool would refuse it: {verdict.name}. If its "
                "announcements are to blame, mine with --trust none.",
            )

    def _is_current(self, share: FoundShare) -> bool:
        view = self._follower.view
        return view is not None and view.work.header.previous_hash == (
            share.work.header.previous_hash
        )

    async def _flush(self, uploading: asyncio.Task[None]) -> None:
        self._uploads.close()
        _, late = await asyncio.wait([uploading], timeout=self._timing.flush)
        if late:
            uploading.cancel()
            await asyncio.wait([uploading])
            _log.warning("Some shares could not be sent in time")

    async def _report_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._timing.report)
            self._report()

    def _report(self) -> None:
        now = self._read()
        report = report_between(self._reported, now, self._height, self._downloads.urls)
        self._reported = now
        _log.info("%s", format_block_report(report))

    @property
    def _height(self) -> int | None:
        """Of the block that is mined; None before there is work."""
        view = self._follower.view
        return None if view is None else view.work.height

    def _read(self) -> BlockMinerReading:
        return BlockMinerReading(
            engine=self._engine.statistics(),
            shares=self._uploads.counts,
            sprayed=self._intake.counts(_SPRAYERS).received,
            downloaded=self._downloads.received_bytes,
        )
