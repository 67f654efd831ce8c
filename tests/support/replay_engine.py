"""Stands in for an engine where a test decides what is found and when."""

import asyncio
import queue
from collections.abc import Callable

from scripted_pool import announcements

from packetcrypt.engine.batches import AnnouncementBatch
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.protocol.errors import PacketCryptError


class ReplayEngine:
    """Delivers what `find` was told. `works` are those it was started with, in order."""

    def __init__(self) -> None:
        self.works: list[AnnouncementWork] = []
        self.paused = False
        self._found: queue.SimpleQueue[AnnouncementBatch | PacketCryptError] = queue.SimpleQueue()
        self._seed = 0
        self._started = asyncio.Event()

    def start(self, work: AnnouncementWork) -> None:
        self.works.append(work)
        self._started.set()

    async def wait_for_work(self, wanted: Callable[[AnnouncementWork], bool]) -> AnnouncementWork:
        """The newest work, as soon as it is wanted; fails after half a minute."""
        async with asyncio.timeout(30):
            while not (self.works and wanted(self.works[-1])):
                self._started.clear()
                await self._started.wait()
        return self.works[-1]

    def pause(self) -> None:
        self.paused = True

    def get(self, timeout: float | None = None) -> AnnouncementBatch | None:
        try:
            found = self._found.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(found, PacketCryptError):
            raise found
        return found

    def find(self, count: int, times: int = 1) -> set[int]:
        """Finds so many announcements for the newest work; returns their dedup keys.

        With `times` it finds the same ones again, for tests in which only their number matters.
        """
        self._seed += 1
        made, keys = announcements(count, self._seed)
        for _ in range(times):
            self._found.put(AnnouncementBatch(made, keys, self.works[-1], "replay"))
        return set(keys.tolist())

    def fail(self, error: PacketCryptError) -> None:
        self._found.put(error)
