"""What the pool has mined now, as soon as it changes, and where its services are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.miner.chain import ParentHashes
from packetcrypt.operations.contact import Contact
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.pool_messages import MasterConfig
from packetcrypt.protocol.work_file import BlockWork

_log = logging.getLogger(__name__)

POLL_INTERVAL: Final = 5.0
"""Seconds between two polls of the configuration; new work is waited for in between."""

_FIRST_PAUSE: Final = 0.25
"""Seconds before a master that said "there is new work", and then had none, is asked again. It
doubles up to the interval: a cache may give out the old configuration for ten seconds (spec 2
"Master"), and a proxy may not hold requests at all."""


@dataclass(frozen=True)
class BlockMinerView:
    """What the pool says now.

    replaced : heights whose block is another one than before: their announcements are worthless
    """

    config: MasterConfig
    work: BlockWork
    replaced: frozenset[int]


class BlockFollower:
    """Follows one pool; `follow` is the only task.

    parents   : kept up to date with the pool's chain
    on_change : awaited with every view that differs from the one before
    contact   : whether the pool answers
    """

    def __init__(
        self,
        master: MasterClient,
        parents: ParentHashes,
        complaints: Complaints,
        on_change: Callable[[BlockMinerView], Awaitable[None]],
        interval: float = POLL_INTERVAL,
    ) -> None:
        self.contact = Contact("the pool")
        self.view: BlockMinerView | None = None
        self._master = master
        self._parents = parents
        self._complaints = complaints
        self._on_change = on_change
        self._interval = interval
        self._is_pool = False

    async def follow(self) -> None:
        """Follows for ever, through a pool that is down.

        Raises `PoolNonsense` if the very first answer shows that the URL is no pool's. What a pool
        answers wrongly later, work of the first height included, may be right the next time.
        """
        pause = 0.0
        while True:
            before = self.view
            try:
                await self._ask()
            except PoolError as error:
                if not self._is_pool and isinstance(error, PoolNonsense):
                    raise
                self.contact.note_failure()
                self._complaints.report((self._master.url, "poll"), f"{error} Trying again.")
            else:
                self.contact.note_answer()
                self._complaints.resolve(
                    (self._master.url, "poll"), f"{self._master.url} answers again."
                )
            if self.view is not before:
                pause = 0.0
            if await self._is_called():
                await asyncio.sleep(pause)
                pause = min(max(_FIRST_PAUSE, 2 * pause), self._interval)

    async def _ask(self) -> None:
        config = await self._master.config()
        self._is_pool = True
        before = self.view
        work = None if before is None else before.work
        replaced: frozenset[int] = frozenset()
        if work is None or not _is_of(work, config):
            work = await self._master.work(config.current_height)
            if not _is_of(work, config):
                return  # a block came between the two questions: ask again
            replaced = await self._parents.follow(config)
        view = BlockMinerView(config, work, replaced)
        if before is None or (view.config, view.work) != (before.config, before.work):
            self.view = view
            await self._on_change(view)

    async def _is_called(self) -> bool:
        """Wait for the next poll, `interval` seconds at most; whether the master called for it."""
        try:
            async with asyncio.timeout(self._interval):
                if self.view is not None:
                    await self._master.wait_for_work(self.view.work.height + 1)
                    return True
                await asyncio.sleep(self._interval)
        except TimeoutError:
            pass
        except PoolError:
            # Masters need not offer to be waited for; what else is wrong, the next poll will tell.
            await asyncio.sleep(self._interval)
        return False


def _is_of(work: BlockWork, config: MasterConfig) -> bool:
    """Whether the work is for the block that follows the configuration's tip."""
    return (work.height, work.header.previous_hash) == (config.current_height, config.tip_hash)
