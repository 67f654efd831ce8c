"""How shares get to the pool's block handlers: each to the right one, until it is answered."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.submit_share import ShareFate, post_share
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.miner.block_log_line import ShareCounts
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.share_messages import SharePost, share_handler

QUEUE_LIMIT: Final = 256
"""Shares that may wait; more mean that they are too easy for the handlers or for the way there."""

_RETRY_S: Final = 2.0
"""Seconds in which a handler gets nothing after a post to it failed."""


class ShareUploads:
    """Uploads shares until `close`; `run` is the only task and owns the uploads.

    A handler that is down or hangs delays the shares that are for it, and no others: it gets its
    part of the uploads at most. Blocks go first.

    uploaders  : posts at a time, to all handlers together
    is_current : whether a share's work is still the pool's; others are not tried (again)
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
        #: by handler: posts under way, and until when it gets nothing (time.monotonic)
        self._posts: Counter[str] = Counter()
        self._rests: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def waiting(self) -> int:
        """Shares that are queued."""
        return len(self._queue)

    def set_handlers(self, urls: tuple[str, ...]) -> None:
        """The pool's block handlers as its configuration numbers them."""
        self._handlers = urls
        self._rests = {url: until for url, until in self._rests.items() if url in urls}
        self._changed.set()

    def add(self, share: FoundShare) -> None:
        """Queue a share; the oldest one that is no block is lost if too many wait."""
        if len(self._queue) >= QUEUE_LIMIT:
            del self._queue[next((n for n, old in enumerate(self._queue) if not old.is_block), 0)]
            self.lose()
            self._complaints.report(
                ("shares", "queue"),
                f"shares are found faster than they are taken: the oldest of {QUEUE_LIMIT} that "
                "wait are dropped. The pool's handlers are slow, or its share target is too easy.",
            )
        if share.is_block:
            self._queue.appendleft(share)
        else:
            self._queue.append(share)
        self._changed.set()

    def lose(self, count: int = 1) -> None:
        """Count shares that are not even tried."""
        self._count(ShareCounts(lost=count))

    def close(self) -> None:
        """No more shares come: `run` ends when those that wait are sent."""
        self._closed = True
        self._changed.set()

    async def run(self) -> None:
        """Upload until `close`, and what is left then; what is left when cancelled is lost."""
        try:
            async with asyncio.TaskGroup() as uploaders:
                for _ in range(self._uploaders):
                    uploaders.create_task(self._upload_all(), name="upload shares")
        finally:
            self.lose(len(self._queue))
            self._queue.clear()

    async def _upload_all(self) -> None:
        while (chosen := await self._next()) is not None:
            await self._upload(*chosen)

    async def _next(self) -> tuple[FoundShare, str] | None:
        """The next share to post, and where to; None when there will be no more."""
        while True:
            self._drop_outdated()
            if self._queue and not self._handlers:
                self._complaints.report(
                    ("shares", "handlers"), "the pool has no block handlers now"
                )
            now = time.monotonic()
            for number, share in enumerate(self._queue if self._handlers else ()):
                url = self._handler_of(share)
                if self._rests.get(url, 0.0) <= now and self._posts[url] < self._at_once:
                    del self._queue[number]
                    return share, url
            if self._closed and not self._queue:
                return None
            self._changed.clear()
            rests = [until - now for until in self._rests.values() if until > now]
            with suppress(TimeoutError):
                async with asyncio.timeout(min(rests, default=None)):
                    await self._changed.wait()

    @property
    def _at_once(self) -> int:
        """Posts to one handler at a time, so that some are left for the others."""
        return -(-self._uploaders // len(self._handlers))

    def _handler_of(self, share: FoundShare) -> str:
        number = share_handler(share.header, share.proof.low_nonce, len(self._handlers))
        return self._handlers[number]

    def _drop_outdated(self) -> None:
        current = [share for share in self._queue if self._is_current(share)]
        if len(current) < len(self._queue):
            self.lose(len(self._queue) - len(current))
            self._queue = deque(current)

    async def _upload(self, share: FoundShare, url: str) -> None:
        """Post a share; it waits again if that failed, and is lost if that is cancelled."""
        counts = ShareCounts(lost=1)
        self._posts[url] += 1
        try:
            post = SharePost(share.commitment, share.header + encode_proof_sections(share.proof))
            outcome = await post_share(self._session, url, self._pay_to, post, self._timeout_s)
            if outcome.complaint is not None:
                self._complaints.report(("shares", url, outcome.fate.value), outcome.complaint)
            if outcome.fate is ShareFate.ACCEPTED:
                counts = ShareCounts(accepted=1, blocks=int(outcome.is_block))
            elif outcome.fate is ShareFate.REJECTED:
                counts = ShareCounts(rejected=1)
            else:
                counts = ShareCounts()
                self._rests[url] = time.monotonic() + self._retry_s
                # Behind the others, because the share itself may be what the handler fails at.
                self._queue.append(share)
        finally:
            self._posts[url] -= 1
            self._count(counts)
            self._changed.set()

    def _count(self, counts: ShareCounts) -> None:
        self.counts = self.counts.plus(counts)
