"""How shares get to the pool's block handlers: each to the right one, until it is answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.submit_share import ShareFate, ShareOutcome, post_share
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.miner.block_log_line import ShareCounts
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.share_messages import SharePost, share_handler

QUEUE_LIMIT: Final = 256
"""Shares that may wait; more mean that they are too easy for the handlers or for the way there."""

_RETRY_S: Final = 2.0
"""Pause after a post that failed."""


class ShareUploads:
    """Uploads shares until `close`; `run` is the only task and owns the uploads.

    is_current : whether a share's work is still the pool's; others are not tried again
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        pay_to: str,
        uploaders: int,
        timeout_s: float,
        is_current: Callable[[FoundShare], bool],
        complaints: Complaints,
        retry_s: float = _RETRY_S,
    ) -> None:
        self.counts = ShareCounts()
        self._session = session
        self._pay_to = pay_to
        self._uploaders = uploaders
        self._timeout_s = timeout_s
        self._is_current = is_current
        self._complaints = complaints
        self._retry_s = retry_s
        self._handlers: tuple[str, ...] = ()
        self._queue: deque[FoundShare] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def set_handlers(self, urls: tuple[str, ...]) -> None:
        """The pool's block handlers as its configuration numbers them."""
        self._handlers = urls

    def add(self, share: FoundShare) -> None:
        """Queue a share; the oldest one is lost if too many wait."""
        if len(self._queue) == QUEUE_LIMIT:
            self._queue.popleft()
            self.lose()
            self._complaints.report(
                ("shares", "queue"),
                f"shares are found faster than they are taken: the oldest of {QUEUE_LIMIT} that "
                "wait are dropped. The pool's handlers are slow, or its share target is too easy.",
            )
        self._queue.append(share)
        self._changed.set()

    def lose(self) -> None:
        """Count a share that is not even tried."""
        self._count(ShareCounts(lost=1))

    def close(self) -> None:
        """No more shares come: `run` ends when those that wait are sent."""
        self._closed = True
        self._changed.set()

    async def run(self) -> None:
        """Upload until `close`, and what is left then."""
        async with asyncio.TaskGroup() as uploaders:
            for _ in range(self._uploaders):
                uploaders.create_task(self._upload_all(), name="upload shares")

    async def _upload_all(self) -> None:
        while True:
            while not self._queue:
                if self._closed:
                    return
                self._changed.clear()
                await self._changed.wait()
            await self._upload(self._queue.popleft())

    async def _upload(self, share: FoundShare) -> None:
        """Post a share until it is answered; counted as lost if that is cancelled."""
        counts = ShareCounts(lost=1)
        try:
            while self._is_current(share):
                outcome = await self._post(share)
                if outcome.complaint is not None:
                    self._complaints.report(("shares", outcome.fate.value), outcome.complaint)
                if outcome.fate is ShareFate.ACCEPTED:
                    counts = ShareCounts(accepted=1, blocks=int(outcome.is_block))
                    return
                if outcome.fate is ShareFate.REJECTED:
                    counts = ShareCounts(rejected=1)
                    return
                await asyncio.sleep(self._retry_s)
        finally:
            self._count(counts)

    async def _post(self, share: FoundShare) -> ShareOutcome:
        if not self._handlers:
            return ShareOutcome(ShareFate.FAILED, complaint="the pool has no block handlers now")
        number = share_handler(share.header, share.proof.low_nonce, len(self._handlers))
        post = SharePost(share.commitment, share.header + encode_proof_sections(share.proof))
        url = self._handlers[number]
        return await post_share(self._session, url, self._pay_to, post, self._timeout_s)

    def _count(self, counts: ShareCounts) -> None:
        self.counts = self.counts.plus(counts)
