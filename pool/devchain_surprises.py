"""Which blocks a development chain makes up unasked: overdue ones, and branches that displace."""

import asyncio
import random

from packetcrypt.pool.devchain_node import DevchainNode
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.pool.devchain_tree import ChainBlock


class Surprises:
    """The blocks of "somebody else".

    chance : what decides about reorganisations
    """

    def __init__(
        self, node: DevchainNode, settings: DevchainSettings, chance: random.Random
    ) -> None:
        self._node = node
        self._settings = settings
        self._chance = chance
        self._reorganising: set[asyncio.Task[None]] = set()

    async def make_up_if_overdue(self) -> None:
        """Adds a block if none, or no share, came for too long."""
        limit = self._settings.patience * self._settings.block_seconds
        if self._node.is_too_quiet or (limit and self._node.seconds_waited >= limit):
            await self._node.add_overdue()

    def block_came(self, block: ChainBlock) -> None:
        """Decides whether a mined block is to be displaced, some time within half a period."""
        if self._chance.random() < self._settings.reorganise:
            seconds = self._chance.uniform(0, self._settings.block_seconds / 2)
            task = asyncio.create_task(self._displace(block, seconds))
            self._reorganising.add(task)
            task.add_done_callback(self._reorganising.discard)

    async def close(self) -> None:
        """Gives up what was decided and not done yet."""
        for task in self._reorganising:
            task.cancel()
        await asyncio.gather(*self._reorganising, return_exceptions=True)

    async def _displace(self, block: ChainBlock, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._node.displace(block)
