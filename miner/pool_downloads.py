"""From which handlers announcements are downloaded, and how many downloads each may have."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp
import numpy as np
import numpy.typing as npt

from packetcrypt.client.announcement_files import AnnouncementFilesClient
from packetcrypt.client.complaints import Complaints
from packetcrypt.miner.announcement_downloads import INDEX_INTERVAL, HandlerDownloads
from packetcrypt.protocol.errors import ConfigError


class PoolDownloads:
    """The downloads from all handlers of a pool; `run` is the only task and owns them.

    password : the pool's for block miners, "" for none
    at_once  : downloads at a time; every handler gets its part of them
    wanted   : as for `HandlerDownloads`
    take     : gets the URL of a handler and its announcements
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        password: str,
        at_once: int,
        wanted: Callable[[int], bool],
        take: Callable[[str, npt.NDArray[np.uint8]], Awaitable[None]],
        complaints: Complaints,
        interval: float = INDEX_INTERVAL,
    ) -> None:
        self.urls: tuple[str, ...] = ()
        self._session = session
        self._password = password
        self._at_once = at_once
        self._slots = asyncio.Semaphore(at_once)
        self._wanted = wanted
        self._take = take
        self._complaints = complaints
        self._interval = interval
        self._running: dict[str, tuple[HandlerDownloads, asyncio.Task[None]]] = {}
        self._received_before: dict[str, int] = {}
        self._changed = asyncio.Event()

    @property
    def received_bytes(self) -> dict[str, int]:
        """By handler URL, since the start, also while the pool did not name it."""
        received = dict(self._received_before)
        for url, (downloads, _) in self._running.items():
            received[url] = received.get(url, 0) + downloads.received_bytes
        return received

    def set_handlers(self, urls: tuple[str, ...]) -> None:
        """The pool's handlers as its configuration orders them."""
        self.urls = tuple(dict.fromkeys(urls))
        self._changed.set()

    async def run(self) -> None:
        """Downloads from the handlers as they come and go, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                self._follow(group)
                await self._changed.wait()

    def _follow(self, group: asyncio.TaskGroup) -> None:
        for url in self._running.keys() - set(self.urls):
            self._received_before[url] = self.received_bytes[url]
            _, task = self._running.pop(url)
            task.cancel()
        for url in self.urls:
            if url not in self._running:
                self._begin(group, url)
        for downloads, _ in self._running.values():
            downloads.allow(max(1, self._at_once // len(self._running)))

    def _begin(self, group: asyncio.TaskGroup, url: str) -> None:
        try:
            client = AnnouncementFilesClient(self._session, url, self._password)
        except ConfigError as error:
            self._complaints.report((url, "url"), f"the pool's downloadAnnUrls: {error}.")
            return
        downloads = HandlerDownloads(
            client,
            self._wanted,
            partial(self._take, url),
            self._slots,
            self._complaints,
            self._interval,
        )
        task = group.create_task(downloads.run(), name=f"downloads from {url}")
        self._running[url] = (downloads, task)
