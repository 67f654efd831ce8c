"""How announcements get to one pool, whose handlers may come, go and change places."""

import asyncio
from collections.abc import Callable, Iterable

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.miner.accounting import PoolAccount
from packetcrypt.miner.settings import AnnouncementMinerSettings
from packetcrypt.miner.upload_queue import UploadBatch, route
from packetcrypt.miner.uploader import HandlerUploader


class PoolUploads:
    """Deals the announcements for one pool to its handlers' uploaders.

    The uploaders run in the task group that is given here. Another number of handlers changes where
    every announcement belongs, so that what waits is dealt anew; uploads under way go on.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        session: aiohttp.ClientSession,
        settings: AnnouncementMinerSettings,
        complaints: Complaints,
        clock: Callable[[], float],
    ) -> None:
        self.account = PoolAccount()
        self._tasks = tasks
        self._session = session
        self._settings = settings
        self._complaints = complaints
        self._clock = clock
        self._handlers: list[HandlerUploader] = []
        self._running: set[asyncio.Task[None]] = set()

    def set_handlers(self, urls: tuple[str, ...]) -> None:
        """The pool's handlers as its configuration numbers them."""
        if len(urls) == len(self._handlers):
            for handler, url in zip(self._handlers, urls, strict=True):
                handler.url = url
            return
        waiting = [batch for handler in self._handlers for batch in self._retire(handler)]
        self._handlers = [self._open(url) for url in urls]
        for batch in waiting:
            self.add(batch)

    def add(self, batch: UploadBatch) -> None:
        """Takes announcements in; they are lost if the pool has no handlers."""
        if not self._handlers:
            self.account.drop(len(batch))
            return
        parts = route(batch, len(self._handlers))
        for handler, part in zip(self._handlers, parts, strict=True):
            self._enqueue(handler, handler.gatherer.add(part, self._clock()))

    def close_due(self) -> None:
        """Queues the batches that waited long enough for more announcements."""
        for handler in self._handlers:
            self._enqueue(handler, handler.gatherer.close_due(self._clock()))

    async def flush(self, seconds: float) -> int:
        """Sends everything that is here, within `seconds`; the pool takes no more after that.

        What is not sent by then is cancelled and counted as lost; returns how many those are.
        """
        for handler in self._handlers:
            self._enqueue(handler, handler.gatherer.close())
            handler.queue.close()
        if not self._running:
            return 0
        lost_before = self.account.counts.lost
        _, late = await asyncio.wait(self._running, timeout=seconds)
        if not late:
            return 0
        for task in late:
            task.cancel()
        await asyncio.wait(late)
        for handler in self._handlers:
            self._drop(handler.queue.withdraw())
        return self.account.counts.lost - lost_before

    def _open(self, url: str) -> HandlerUploader:
        handler = HandlerUploader(
            self._session,
            url,
            self._settings.payment_addr,
            self._settings.uploaders,
            self._settings.upload_timeout,
            self.account,
            self._complaints,
        )
        task = self._tasks.create_task(handler.run(), name=f"uploads to {url}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return handler

    def _retire(self, handler: HandlerUploader) -> list[UploadBatch]:
        """Lets a handler's uploads run out; returns what was waiting for it."""
        waiting = handler.queue.withdraw() + handler.gatherer.close()
        handler.queue.close()
        return waiting

    def _enqueue(self, handler: HandlerUploader, batches: Iterable[UploadBatch]) -> None:
        for batch in batches:
            self.account.drop(handler.queue.add(batch))

    def _drop(self, batches: Iterable[UploadBatch]) -> None:
        for batch in batches:
            self.account.drop(len(batch))
