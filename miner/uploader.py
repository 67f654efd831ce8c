"""How the batches of one handler get there: several uploads at a time, each with a time limit."""

import asyncio

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.submit import PostOutcome, post_announcements
from packetcrypt.miner.accounting import PoolAccount
from packetcrypt.miner.upload_queue import BatchGatherer, UploadBatch, UploadQueue
from packetcrypt.protocol.pool_messages import AnnouncementPostHeaders


class HandlerUploader:
    """One announcement handler: what is gathered for it, what waits for it, what is on its way.

    `run` is the only task; it owns the uploads and ends when the queue is closed and everything in
    it is sent or lost. Announcements of an upload that is cancelled count as lost.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        pay_to: str,
        uploaders: int,
        timeout_s: float,
        account: PoolAccount,
        complaints: Complaints,
    ) -> None:
        self.url = url
        self.gatherer = BatchGatherer()
        self.queue = UploadQueue()
        self._session = session
        self._pay_to = pay_to
        self._uploaders = uploaders
        self._timeout_s = timeout_s
        self._account = account
        self._complaints = complaints

    async def run(self) -> None:
        """Uploads until the queue is closed and empty."""
        async with asyncio.TaskGroup() as uploaders:
            for _ in range(self._uploaders):
                uploaders.create_task(self._upload_all())

    async def _upload_all(self) -> None:
        while (batch := await self.queue.take()) is not None:
            await self._upload(batch)

    async def _upload(self, batch: UploadBatch) -> None:
        self._account.begin_upload(len(batch))
        outcome = PostOutcome(lost=len(batch))
        try:
            outcome = await post_announcements(
                self._session,
                self.url,
                AnnouncementPostHeaders(self._pay_to, batch.work_number),
                batch.announcements.tobytes(),
                self._timeout_s,
            )
        finally:
            self._account.end_upload(len(batch), outcome)
        if outcome.complaint is not None:
            self._complaints.report((self.url, "upload"), outcome.complaint)
