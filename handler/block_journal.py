"""Which shares and blocks are in the pay log already: each goes there once.

A miner that did not get its reply sends its share again, and two looks at the chain see the same
block. Events have ids for that: what is written under one is written once, and whoever comes with
it again is told what was written. Across a restart that holds for what the pay logs still say;
what was uploaded meanwhile the paymaker knows by the same ids.
"""

import asyncio
from typing import Any, Final, TypeVar

from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.paylog import PayLog
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.share_messages import BlockEvent, ShareResult

REMEMBERED: Final = 10_000
"""events, the newest. A share is refused as soon as its block is found, and a pool with the usual
divisors gets about 64 shares a block"""

E = TypeVar("E", ShareResult, BlockEvent)


class BlockJournal:
    """Writes events to the pay log, each id once. Use on one event loop."""

    def __init__(self, paylog: PayLog, disk: DiskThread) -> None:
        self._paylog = paylog
        self._disk = disk
        self._events: dict[str, asyncio.Future[Any]] = {}
        self.knows_blocks = False
        """whether the last run's pay logs had a block"""

    async def recover(self) -> None:
        """Takes up what the last run wrote. Call once, first."""
        for event in await self._disk.run(_recorded, self._paylog):
            written: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            written.set_result(event)
            self._remember(event.event_id, written)
            self.knows_blocks |= isinstance(event, BlockEvent)

    def has(self, event_id: str) -> bool:
        """Whether an event is written, or being written."""
        return event_id in self._events

    async def share(self, event_id: str) -> ShareResult | None:
        """What is written of a share; None if nothing is."""
        written = self._events.get(event_id)
        event = None if written is None else await asyncio.shield(written)
        return event if isinstance(event, ShareResult) else None

    async def write(self, event: E) -> E:
        """Puts an event on the disk, unless one with its id is there: then returns that one.

        OSError if it could not be written; it may be tried again.
        """
        event_id = event.event_id
        written = self._events.get(event_id)
        if written is None:
            written = asyncio.ensure_future(self._append(event))
            self._remember(event_id, written)
        first: E = await asyncio.shield(written)
        return first

    async def _append(self, event: E) -> E:
        try:
            await self._disk.run(self._paylog.append, [event.as_json()])
        except BaseException:
            self._events.pop(event.event_id, None)
            raise
        return event

    def _remember(self, event_id: str, written: asyncio.Future[Any]) -> None:
        self._events[event_id] = written
        if len(self._events) > REMEMBERED:
            del self._events[next(iter(self._events))]


def _recorded(paylog: PayLog) -> list[ShareResult | BlockEvent]:
    events = (_decoded(fields) for fields in paylog.recorded())
    return [event for event in events if event is not None]


def _decoded(fields: JsonFields) -> ShareResult | BlockEvent | None:
    for kind in (ShareResult, BlockEvent):
        try:
            return kind.decode(fields)
        except DecodeError:
            continue
    return None
