"""Which announcements wait for which handler, and which are dropped when there are too many.

Announcements are dealt to handlers by dedup key (spec 2 "Which handler"), gathered into batches of
at most 1024 that are at most 10 s old, and wait in a queue for each handler: newest batch first,
because old announcements lose value, and the oldest is dropped when the queue is full.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BATCH_SIZE = 1024
"""Announcements in a post, at most."""
BATCH_SECONDS = 10.0
"""How long the first announcement of a batch waits for the others, at most."""
QUEUE_BATCHES = 100
"""Batches that wait for one handler, at most (100 MiB)."""


@dataclass(frozen=True)
class UploadBatch:
    """Announcements for one post to one handler, all with the same parent block.

    announcements : (n, 1024) uint8
    keys          : (n,) uint64, their dedup keys
    work_number   : parent height + 1
    """

    announcements: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    work_number: int

    def __len__(self) -> int:
        return len(self.keys)


def route(batch: UploadBatch, handler_count: int) -> list[UploadBatch]:
    """The announcements of a batch for each handler, in the handlers' order; some may be empty."""
    if handler_count == 1:
        return [batch]
    numbers = batch.keys % np.uint64(handler_count)
    return [
        UploadBatch(batch.announcements[chosen], batch.keys[chosen], batch.work_number)
        for chosen in (numbers == number for number in range(handler_count))
    ]


class BatchGatherer:
    """Gathers the announcements of one handler into batches worth a post."""

    def __init__(self) -> None:
        self._parts: list[UploadBatch] = []
        self._size = 0
        self._opened_at = 0.0

    def add(self, part: UploadBatch, now: float) -> list[UploadBatch]:
        """Takes announcements in; returns the batches that are complete by that.

        now : seconds of a monotonic clock
        """
        complete = []
        if self._parts and self._parts[0].work_number != part.work_number:
            complete += self.close()
        taken = 0
        while taken < len(part):
            if not self._parts:
                self._opened_at = now
            piece = _slice(part, taken, taken + BATCH_SIZE - self._size)
            taken += len(piece)
            self._parts.append(piece)
            self._size += len(piece)
            if self._size == BATCH_SIZE:
                complete += self.close()
        return complete

    def close_due(self, now: float) -> list[UploadBatch]:
        """The open batch, if it is old enough to be sent although it is not full."""
        return self.close() if now - self._opened_at >= BATCH_SECONDS else []

    def close(self) -> list[UploadBatch]:
        """The open batch, if there is one, however young."""
        parts, self._parts, self._size = self._parts, [], 0
        if not parts:
            return []
        return [
            UploadBatch(
                np.concatenate([part.announcements for part in parts]),
                np.concatenate([part.keys for part in parts]),
                parts[0].work_number,
            )
        ]


class UploadQueue:
    """The batches that wait for one handler, newest first.

    Lives in one event loop; any number of uploaders may wait in `take`.
    """

    def __init__(self, capacity: int = QUEUE_BATCHES) -> None:
        self._capacity = capacity
        self._batches: deque[UploadBatch] = deque()
        self._is_closed = False
        self._changed = asyncio.Event()

    def add(self, batch: UploadBatch) -> int:
        """Takes a batch in; returns how many announcements were dropped to make room for it."""
        dropped = len(self._batches.popleft()) if len(self._batches) == self._capacity else 0
        self._batches.append(batch)
        self._changed.set()
        return dropped

    async def take(self) -> UploadBatch | None:
        """The newest batch, as soon as there is one; None when the queue is closed and empty."""
        while not self._batches:
            if self._is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._batches.pop()

    def close(self) -> None:
        """Nothing will be added any more: `take` gives what is left and then None."""
        self._is_closed = True
        self._changed.set()

    def withdraw(self) -> list[UploadBatch]:
        """Takes all waiting batches back out, oldest first."""
        batches = list(self._batches)
        self._batches.clear()
        return batches


def _slice(batch: UploadBatch, start: int, stop: int) -> UploadBatch:
    return UploadBatch(batch.announcements[start:stop], batch.keys[start:stop], batch.work_number)
