"""How thousands who wait for new work are woken without making others wait."""

import asyncio
from typing import Final

_AT_ONCE: Final = 32
"""woken before the event loop looks at what came meanwhile: a few milliseconds of answers"""


class WakeUp:
    """A signal that many wait for. Use on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def wait(self, seconds: float) -> bool:
        """Until the next call of `wake`, `seconds` at most; whether it was that."""
        signal: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[signal] = None
        try:
            async with asyncio.timeout(seconds):
                await signal
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(signal, None)
        return True

    async def wake(self) -> None:
        """Wakes all who wait now, those first who came first; returns when all are woken.

        All in one go would keep everything else waiting until the last one has its answer.
        """
        woken, self._waiting = self._waiting, {}
        for number, signal in enumerate(woken, start=1):
            if not signal.done():
                signal.set_result(None)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
