"""How the paymaker learns what was credited: pay logs are uploaded, and kept until confirmed."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp

from packetcrypt.client.paymaker import PaymakerClient
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.paylog import PayLog
from packetcrypt.handler.settings import HandlerSettings
from packetcrypt.operations.health import Check, Grade
from packetcrypt.protocol.errors import ConfigError, PoolError

_log = logging.getLogger(__name__)


class PayLogUpload:
    """Closes the pay log and uploads what is closed, oldest first.

    paymaker_url : asked every time, because the master may change it; None while nobody knows
    uploaded     : pay logs that the paymaker has confirmed, since the start
    failed       : rounds in which one could not be closed or was not confirmed
    waiting      : pay logs that are closed and not confirmed
    oldest_at    : when the last event of the oldest of them was written, seconds since 1970; None
                   if none waits
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: HandlerSettings,
        paylog: PayLog,
        disk: DiskThread,
        paymaker_url: Callable[[], str | None],
    ) -> None:
        self.uploaded = 0
        self.failed = 0
        self.waiting = 0
        self.oldest_at: float | None = None
        self._session = session
        self._settings = settings
        self._paylog = paylog
        self._disk = disk
        self._paymaker_url = paymaker_url

    async def look(self) -> None:
        """Sees what the last run left."""
        await self._disk.run(self._closed)

    def check(self) -> Check:
        """What is to be said about the pay logs that wait. Meanwhile their miners are not paid."""
        if self.oldest_at is None:
            return Check(Grade.GOOD, "no pay log waits for the paymaker")
        age = max(0.0, time.time() - self.oldest_at)
        # One that became full at the beginning of a minute waits for the end of it.
        is_late = age > 2 * self._settings.paylog_seconds + self._settings.paymaker_timeout
        return Check.of(
            not is_late,
            f"{self.waiting} pay logs wait for the paymaker, the oldest for {age:.0f} s",
        )

    async def close_and_upload(self) -> None:
        """One round. What the paymaker does not confirm stays for the next round, unchanged."""
        try:
            await self._disk.run(self._paylog.close)
            await self._upload_closed()
        except (PoolError, ConfigError, OSError) as error:
            self.failed += 1
            _log.warning("pay logs wait in %s: %s", self._settings.workdir, error)

    async def _upload_closed(self) -> None:
        url = self._paymaker_url()
        paths = await self._disk.run(self._closed)
        if url is None or not paths:
            return
        client = PaymakerClient(
            self._session,
            url,
            self._settings.pool.paymaker_http_password,
            self._settings.paymaker_timeout,
        )
        for path in paths:
            body = await self._disk.run(path.read_bytes)
            await client.upload(body)
            self.uploaded += 1
            await self._disk.run(self._remove, path)
        _log.info("the paymaker took %d pay logs", len(paths))

    def _closed(self) -> Sequence[Path]:
        paths = self._paylog.closed()
        self.waiting = len(paths)
        self.oldest_at = paths[0].stat().st_mtime if paths else None
        return paths

    def _remove(self, path: Path) -> None:
        self._paylog.remove(path)
        self._closed()
