"""How posts wait to be judged: a bounded queue, refused when full, emptied before the end."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from packetcrypt.handler.crediting import CreditedPost, Crediting
from packetcrypt.handler.http_answers import Overloaded
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.statistics import HandlerStatistics
from packetcrypt.handler.submission import Post
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE

_log = logging.getLogger(__name__)


class PostFailed(Exception):
    """Something went wrong here that nobody thought of; the log has it."""


class _Waiting(NamedTuple):
    post: Post
    answer: asyncio.Future[CreditedPost]


class Intake:
    """The queue of posts and the tasks that empty it. Use on one event loop.

    concurrent_batches : one for each device, and one that is examined or written meanwhile
    """

    def __init__(
        self,
        crediting: Crediting,
        settings: AnnHandlerSettings,
        statistics: HandlerStatistics,
        concurrent_batches: int,
    ) -> None:
        self._crediting = crediting
        self._check_batch = settings.check_batch
        self._statistics = statistics
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(settings.input_queue_len)
        self._is_closing = False
        self._tasks = [
            asyncio.create_task(self._work(), name=f"ah-intake-{number}")
            for number in range(concurrent_batches)
        ]

    @property
    def queued(self) -> int:
        """Posts that wait."""
        return self._queue.qsize()

    @property
    def is_full(self) -> bool:
        """Whether a post that came now would have to be refused."""
        return self._is_closing or self._queue.full()

    def refuse_if_full(self) -> None:
        """Raises `Overloaded` if a post that came now would not be taken: spares reading it."""
        if self.is_full:
            self._statistics.overloaded += 1
            raise Overloaded

    async def credit(self, post: Post) -> CreditedPost:
        """Waits for a post's turn and returns what became of it; `Overloaded` if it cannot wait."""
        self.refuse_if_full()
        answer: asyncio.Future[CreditedPost] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(post, answer))
        return await answer

    async def close(self, seconds: float) -> None:
        """Takes nothing more, works off what waits for so long, then gives the rest back."""
        self._is_closing = True
        try:
            async with asyncio.timeout(seconds):
                await self._queue.join()
        except TimeoutError:
            _log.warning(
                "stopped with posts unanswered after %g s; their miners were told", seconds
            )
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._queue.empty():
            _give(self._queue.get_nowait(), Overloaded())

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            size = len(batch[0].post.body)
            while size < self._check_batch * ANNOUNCEMENT_SIZE and not self._queue.empty():
                batch.append(self._queue.get_nowait())
                size += len(batch[-1].post.body)
            try:
                await self._answer(batch)
            finally:
                for _ in batch:
                    self._queue.task_done()

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        try:
            credited = await self._crediting.credit([waiting.post for waiting in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                _give(waiting, Overloaded())
            raise
        except Exception:
            # The intake's outermost loop: whatever is wrong with this batch, the next is served.
            _log.exception("a batch of %d posts failed", len(batch))
            for waiting in batch:
                _give(waiting, PostFailed())
            return
        for waiting, post in zip(batch, credited, strict=True):
            self._statistics.count(post.result)
            if not waiting.answer.done():
                waiting.answer.set_result(post)


def _give(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
