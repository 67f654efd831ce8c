"""Lets an asyncio test wait for a log message instead of for time."""

import asyncio
import logging
from collections.abc import Callable


class LogWatch(logging.Handler):
    """Collects messages logged in the event loop's thread. `messages` are those until now."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: list[str] = []
        self._logged = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        self._logged.set()

    async def until(self, wanted: Callable[[str], bool]) -> str:
        """The first message at all that is wanted, whether it was logged already or is to come."""
        for message in self.messages:
            if wanted(message):
                return message
        return await self.wait_for(wanted)

    async def wait_for(self, wanted: Callable[[str], bool]) -> str:
        """The first message from now on that is wanted; fails after half a minute."""
        position = len(self.messages)
        async with asyncio.timeout(30):
            while True:
                for message in self.messages[position:]:
                    if wanted(message):
                        return message
                position = len(self.messages)
                self._logged.clear()
                await self._logged.wait()
