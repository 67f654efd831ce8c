"""How announcements are mined for pools: follow them, choose work, take finds, upload, report.

    engine ──get()──▶ taking ──▶ PoolUploads (one a pool) ──▶ HandlerUploader (one a handler) ──▶
       ▲
       └──start()── choosing ◀── PoolFollower (one a pool) ◀──

One event loop does all of it but waiting for the engine, which has a thread. Pools share no task
and no queue, so that none can slow another; every task belongs to a task group of `run`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.master import MasterClient
from packetcrypt.client.resolver import DaemonResolver
from packetcrypt.engine.batches import AnnouncementBatch
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.miner.accounting import FoundCounts, PoolCounts
from packetcrypt.miner.log_line import MinerReport, PoolReport, format_report
from packetcrypt.miner.pool_follower import POLL_INTERVAL, PoolFollower, PoolStatus
from packetcrypt.miner.pool_uploads import PoolUploads
from packetcrypt.miner.settings import AnnouncementMinerSettings
from packetcrypt.miner.task_failures import first_failure
from packetcrypt.miner.upload_queue import UploadBatch
from packetcrypt.miner.work_selection import NoWork, select_work, why_useless
from packetcrypt.protocol.difficulty import work_of_compact
from packetcrypt.protocol.errors import PacketCryptError

_log = logging.getLogger(__name__)

_DNS_CACHE_SECONDS: Final = 300


class AnnouncementSource(Protocol):
    """What the miner needs of an `AnnouncementEngine`; `start` and `pause` must not block."""

    def start(self, work: AnnouncementWork) -> None: ...
    def pause(self) -> None: ...
    def get(self, timeout: float | None = None) -> AnnouncementBatch | None: ...


@dataclass(frozen=True)
class MinerTiming:
    """How often things happen, in seconds.

    poll   : from one poll of a pool to the next
    report : covered by a log line
    take   : how long one wait for the engine may last; also how late a batch is sent
    drain  : wait for each last batch after the engine is paused
    flush  : for sending what is queued when the miner stops. With `take`, `drain` and the second
             that an engine needs to close, it stays under the three seconds that users were told.
    """

    poll: float = POLL_INTERVAL
    report: float = 10.0
    take: float = 0.2
    drain: float = 0.1
    flush: float = 1.5


@dataclass
class _Pool:
    """One pool that is mined for, and what was last said about it."""

    follower: PoolFollower
    uploads: PoolUploads
    reported: PoolCounts
    useless_for: str | None = None


@dataclass(frozen=True)
class MinedPool:
    """How things stand with one pool, and what was counted since the start.

    has_answered : whether it ever did, as a pool does
    """

    url: str
    status: PoolStatus
    has_answered: bool
    counts: PoolCounts
    uploading: int


class AnnouncementMiner:
    """Mines announcements for the pools of its settings until `stop`.

    The engine stays the caller's: it must be open, and is paused but not closed. `run` may be
    called once.
    """

    def __init__(
        self,
        settings: AnnouncementMinerSettings,
        engine: AnnouncementSource,
        *,
        timing: MinerTiming | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._timing = timing or MinerTiming()
        self._clock = clock
        self._complaints = Complaints(_log, clock)
        self._pools: list[_Pool] = []
        self._work: AnnouncementWork | None = None
        self._found = FoundCounts()
        self._reported_found = FoundCounts()
        self._started_at = self._reported_at = clock()
        self._stopping = asyncio.Event()
        self._failure: PacketCryptError | None = None

    async def run(self) -> None:
        """Mines until `stop`, then sends what is queued and returns, in less than three seconds.

        A pool that is down is waited for. Raises `PoolError` if a pool's first answer shows that
        its URL is no pool's, and `DeviceError` if no device is left.
        """
        connector = aiohttp.TCPConnector(
            # Uploads are bounded for each handler; a common limit would let one pool starve others.
            limit=0,
            resolver=DaemonResolver(),
            ttl_dns_cache=_DNS_CACHE_SECONDS,
        )
        try:
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                asyncio.TaskGroup() as uploading,
            ):
                self._pools = [self._open(url, session, uploading) for url in self._settings.pools]
                self._started_at = self._reported_at = self._clock()
                await self._mine()
                await self._flush()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from failures
        self._report()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ends `run` soon. For the event loop's thread, e.g. for a signal handler of the loop."""
        self._engine.pause()
        self._stopping.set()

    @property
    def work(self) -> AnnouncementWork | None:
        """What is mined; None until the first pool has given something."""
        return self._work

    @property
    def pools(self) -> tuple[MinedPool, ...]:
        """The pools in the order of the settings; none before `run` has begun."""
        return tuple(
            MinedPool(
                url=pool.follower.url,
                status=pool.follower.status,
                has_answered=pool.follower.view is not None,
                counts=pool.uploads.account.counts,
                uploading=pool.uploads.account.uploading,
            )
            for pool in self._pools
        )

    def totals(self) -> MinerReport:
        """What was done since the start; its `format_report` is a log line over the whole time."""
        return MinerReport(
            seconds=self._clock() - self._started_at,
            found=self._found,
            pools=tuple(_pool_report(pool, PoolCounts()) for pool in self._pools),
        )

    def _open(
        self, url: str, session: aiohttp.ClientSession, uploading: asyncio.TaskGroup
    ) -> _Pool:
        uploads = PoolUploads(uploading, session, self._settings, self._complaints, self._clock)
        follower = PoolFollower(MasterClient(session, url), self._complaints, self._on_change)
        return _Pool(follower, uploads, PoolCounts())

    async def _mine(self) -> None:
        async with asyncio.TaskGroup() as mining:
            tasks = [
                mining.create_task(
                    pool.follower.follow(self._timing.poll), name=f"follow {pool.follower.url}"
                )
                for pool in self._pools
            ]
            tasks.append(mining.create_task(self._report_regularly(), name="report"))
            mining.create_task(self._take(), name="take announcements")
            await self._stopping.wait()
            for task in tasks:
                task.cancel()

    def _on_change(self, follower: PoolFollower) -> None:
        """Does what a pool's new view asks for: other handlers; other work if it is the first."""
        view = follower.view
        if view is None:
            return
        for pool in self._pools:
            if pool.follower is follower:
                pool.uploads.set_handlers(view.config.submit_ann_urls)
        if follower is self._pools[0].follower:
            self._choose_work()

    def _choose_work(self) -> None:
        first = self._pools[0].follower
        if first.view is None or self._stopping.is_set():
            return
        try:
            work = select_work(first.view, self._settings.mine_old_anns)
        except NoWork as problem:
            going_on = "" if self._work is None else ". Mining goes on for the previous block"
            self._complaints.report(
                (first.url, "work"), f"{first.url} gives nothing to mine for: {problem}{going_on}."
            )
            return
        self._complaints.resolve((first.url, "work"), f"{first.url} gives work again.")
        if work != self._work:
            self._work = work
            self._engine.start(work)
            _log.info(
                "Mining for block %d (%s…), work bits %#010x, %s",
                work.parent_height,
                work.parent_hash[::-1].hex()[:16],
                work.work_bits,
                f"signing key {work.signing_key.hex()[:16]}…"
                if any(work.signing_key)
                else "unsigned",
            )

    async def _take(self) -> None:
        """Takes what the engine finds until the miner stops, and then what is left in it."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="take-announcements") as thread:
            while True:
                stopping = self._stopping.is_set()
                wait = self._timing.drain if stopping else self._timing.take
                try:
                    batch = await loop.run_in_executor(thread, self._engine.get, wait)
                except PacketCryptError as error:
                    # What is queued is still worth sending: `run` raises this at its end.
                    self._failure = error
                    self._stopping.set()
                    return
                if batch is not None:
                    self._distribute(batch)
                elif stopping:
                    return
                for pool in self._pools:
                    pool.uploads.close_due()

    def _distribute(self, batch: AnnouncementBatch) -> None:
        self._found = self._found.plus(len(batch), work_of_compact(batch.work.work_bits))
        upload = UploadBatch(batch.announcements, batch.keys, batch.work.parent_height + 1)
        for pool in self._pools:
            pool.uploads.add(upload)

    async def _report_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._timing.report)
            self._report()
            self._warn_of_useless()

    def _report(self) -> None:
        now = self._clock()
        report = MinerReport(
            seconds=now - self._reported_at,
            found=self._found.since(self._reported_found),
            pools=tuple(_pool_report(pool, pool.reported) for pool in self._pools),
        )
        self._reported_at = now
        self._reported_found = self._found
        for pool in self._pools:
            pool.reported = pool.uploads.account.counts
        _log.info("%s", format_report(report))

    def _warn_of_useless(self) -> None:
        """Names further pools that gain nothing from this work.

        Only what was so at the previous report too: pools learn of a new block some seconds apart.
        """
        for pool in self._pools[1:]:
            view = pool.follower.view
            if self._work is None or view is None:
                continue
            reason = why_useless(self._work, view)
            if reason is not None and reason == pool.useless_for:
                self._complaints.report(
                    (pool.follower.url, "useless"),
                    f"{pool.follower.url} gains nothing from what is mined: {reason}.",
                )
            if reason is None:
                self._complaints.resolve(
                    (pool.follower.url, "useless"),
                    f"{pool.follower.url} gains from what is mined again.",
                )
            pool.useless_for = reason

    async def _flush(self) -> None:
        lost = await asyncio.gather(
            *(pool.uploads.flush(self._timing.flush) for pool in self._pools)
        )
        for pool, announcements in zip(self._pools, lost, strict=True):
            if announcements:
                _log.warning(
                    "%d announcements could not be sent to %s in time",
                    announcements,
                    pool.follower.url,
                )


def _pool_report(pool: _Pool, since: PoolCounts) -> PoolReport:
    return PoolReport(
        url=pool.follower.url,
        counts=pool.uploads.account.counts.since(since),
        uploading=pool.uploads.account.uploading,
        is_up=pool.follower.status is PoolStatus.UP,
    )
