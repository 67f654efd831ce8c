"""How all that one handler offers over HTTP is fetched once, however often downloads break off."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.client.announcement_files import AnnouncementFile, AnnouncementFilesClient
from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense
from packetcrypt.protocol.errors import PoolError

INDEX_INTERVAL: Final = 5.0
"""Seconds between two looks at a handler's index."""


class HandlerDownloads:
    """The downloads from one handler; `run` is the only task and owns them.

    wanted : whether announcements with a parent height can be used; others are not fetched (yet)
    take   : gets the announcements as they come, (n, 1024) uint8; awaited, so that whoever cannot
             keep up slows the downloads down
    slots  : bounds the downloads from all handlers together
    """

    def __init__(
        self,
        client: AnnouncementFilesClient,
        wanted: Callable[[int], bool],
        take: Callable[[npt.NDArray[np.uint8]], Awaitable[None]],
        slots: asyncio.Semaphore,
        complaints: Complaints,
        interval: float = INDEX_INTERVAL,
    ) -> None:
        self.url = client.url
        self.received_bytes = 0
        self._client = client
        self._wanted = wanted
        self._take = take
        self._slots = slots
        self._complaints = complaints
        self._interval = interval
        self._at_once = 1
        #: announcements had of each file that is in the index; None if it is complete
        self._progress: dict[AnnouncementFile, int | None] = {}
        self._under_way: set[AnnouncementFile] = set()
        #: tried since the last look at the index, in vain
        self._failed: set[AnnouncementFile] = set()
        self._changed = asyncio.Event()

    def allow(self, at_once: int) -> None:
        """Let so many downloads go on at a time, of this handler alone.

        One that sends a byte every few seconds holds its downloads for ever: these, and no others.
        """
        self._at_once = at_once
        self._changed.set()

    async def run(self) -> None:
        """Fetches what is new, for ever."""
        async with asyncio.TaskGroup() as downloads:
            downloads.create_task(self._look_regularly(), name=f"{self.url} index")
            while True:
                file = await self._next()
                self._under_way.add(file)
                downloads.create_task(self._fetch(file), name=f"{self.url} {file.name}")

    async def _look_regularly(self) -> None:
        while True:
            try:
                offered = await self._client.index()
            except PoolError as error:
                self._complaints.report((self.url, "index"), f"{error} Trying again.")
            else:
                message = f"{self.url} offers announcements again."
                self._complaints.resolve((self.url, "index"), message)
                self._progress = {file: self._progress.get(file, 0) for file in offered}
                self._failed.clear()
                self._changed.set()
            await asyncio.sleep(self._interval)

    async def _next(self) -> AnnouncementFile:
        """The next file to fetch, the newest: its announcements are worth the most."""
        while True:
            if len(self._under_way) < self._at_once:
                for file, had in self._progress.items():
                    if (
                        had is not None
                        and file not in self._under_way
                        and file not in self._failed
                        and self._wanted(file.parent_height)
                    ):
                        return file
            self._changed.clear()
            await self._changed.wait()

    async def _fetch(self, file: AnnouncementFile) -> None:
        had = self._progress.get(file) or 0
        try:
            async with self._slots, aclosing(self._client.download(file, had)) as pieces:
                async for announcements in pieces:
                    had += len(announcements)
                    self.received_bytes += announcements.nbytes
                    await self._take(announcements)
        except PoolNonsense as error:
            # Files never change, so this one will not be better next time.
            self._settle(file, None)
            self._complaints.report((self.url, "download"), f"{error} The file is left.")
        except PoolError as error:
            # After the next look at the index it goes on where this ended.
            self._settle(file, had)
            self._failed.add(file)
            self._complaints.report((self.url, "download"), f"{error} Trying again.")
        else:
            self._settle(file, None)
        finally:
            self._under_way.discard(file)
            self._changed.set()

    def _settle(self, file: AnnouncementFile, had: int | None) -> None:
        if file in self._progress:
            self._progress[file] = had
