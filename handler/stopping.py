"""In what time a service stops, and what that time is spent on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from packetcrypt.handler.regular_task import RegularTask


class StopClock:
    """The time that stopping may take, shared by everything that stops."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def left(self) -> float:
        """Seconds; the clock starts when it is first asked."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._seconds
        return max(0.0, self._end - now)

    async def finish(self, task: RegularTask) -> None:
        """Waits for the end of the task's round.

        A pay log that has been sent should be seen to be confirmed.
        """
        await task.finish(self.left())

    async def in_time(self, action: Callable[[], Awaitable[None]]) -> None:
        """Does something, as far as the time suffices."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.left()):
                await action()
