"""How the paymaker learns what was credited: pay logs are uploaded, and kept until confirmed."""

import logging
from collections.abc import Callable

import aiohttp

from packetcrypt.client.paymaker import PaymakerClient
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.paylog import PayLog
from packetcrypt.handler.settings import HandlerSettings
from packetcrypt.protocol.errors import ConfigError, PoolError

_log = logging.getLogger(__name__)


class PayLogUpload:
    """Closes the pay log and uploads what is closed, oldest first.

    paymaker_url : asked every time, because the master may change it; None while nobody knows
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: HandlerSettings,
        paylog: PayLog,
        disk: DiskThread,
        paymaker_url: Callable[[], str | None],
    ) -> None:
        self._session = session
        self._settings = settings
        self._paylog = paylog
        self._disk = disk
        self._paymaker_url = paymaker_url

    async def close_and_upload(self) -> None:
        """One round. What the paymaker does not confirm stays for the next round, unchanged."""
        try:
            await self._disk.run(self._paylog.close)
            await self._upload_closed()
        except (PoolError, ConfigError, OSError) as error:
            _log.warning("pay logs wait in %s: %s", self._settings.workdir, error)

    async def _upload_closed(self) -> None:
        url = self._paymaker_url()
        paths = await self._disk.run(self._paylog.closed)
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
            await self._disk.run(self._paylog.remove, path)
        _log.info("the paymaker took %d pay logs", len(paths))
