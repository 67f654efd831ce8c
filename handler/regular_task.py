"""How the handler does something again and again, and stops without leaving it half done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class RegularTask:
    """Does something every so many seconds, first after the first of them, until it is finished."""

    def __init__(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        self._seconds = seconds
        self._action = action
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._loop())

    async def finish(self, seconds: float) -> None:
        """Waits for the round under way, if any, for at most so long; no other one begins."""
        self._stopping.set()
        await asyncio.wait([self._task], timeout=seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _loop(self) -> None:
        while not await self._is_stopping_after(self._seconds):
            try:
                await self._action()
            except OSError as error:
                _log.error("%s; it is tried again in %g s", error, self._seconds)
            except Exception:
                # The outermost loop: one failure must not end what the handler lives on.
                _log.exception("a regular task failed; tried again in %g s", self._seconds)

    async def _is_stopping_after(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False
