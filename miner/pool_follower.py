"""What one pool wants now: its configuration and its last blocks, polled.

Every poll walks block information back from the tip (spec 2 "Miner behaviour to keep").
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense, PoolNotReady, PoolUnreachable, check_url
from packetcrypt.client.master import MasterClient
from packetcrypt.client.recent_blocks import recent_blocks
from packetcrypt.protocol.errors import ConfigError, PoolError
from packetcrypt.protocol.pool_messages import SOFT_VERSION, BlockInfo, MasterConfig

POLL_INTERVAL = 5.0
"""Seconds between two polls of a pool."""


class PoolStatus(Enum):
    """How a pool answered its last poll."""

    UNASKED = "not asked yet"
    UP = "up"
    NO_HANDLERS = "has no announcement handlers"
    DOWN = "down"
    NOT_READY = "not ready"
    NONSENSE = "answers nonsense"


@dataclass(frozen=True)
class PoolView:
    """What a pool said last.

    blocks : the tip and those before it, newest first, at most six; fewer if some could not be had
    """

    config: MasterConfig
    blocks: tuple[BlockInfo, ...]

    @property
    def tip_height(self) -> int:
        """Height of the newest block."""
        return self.config.current_height - 1

    def block_at(self, height: int) -> BlockInfo | None:
        """The block at this height of the pool's chain, if it is one of the last six."""
        return next((block for block in self.blocks if block.height == height), None)


class PoolFollower:
    """Polls one pool and holds its newest view; one task drives it, everybody may read it."""

    def __init__(
        self,
        master: MasterClient,
        complaints: Complaints,
        on_change: Callable[["PoolFollower"], None],
    ) -> None:
        self.url = master.url
        self.status = PoolStatus.UNASKED
        self.view: PoolView | None = None
        self._master = master
        self._complaints = complaints
        self._on_change = on_change

    async def follow(self, interval: float = POLL_INTERVAL) -> None:
        """Polls for ever, `interval` seconds apart; raises what `poll` raises."""
        while True:
            await self.poll()
            await asyncio.sleep(interval)

    async def poll(self) -> None:
        """Asks the pool once. Trouble is reported and ends in `status`.

        Raises `PoolNonsense` if the very first answer shows that the URL is no pool's. Later on
        that is trouble like any other: a pool that was one will be one again.
        """
        try:
            status = await self._ask()
        except PoolNonsense as error:
            if self.status is PoolStatus.UNASKED and self.view is None:
                raise
            self._trouble(PoolStatus.NONSENSE, error)
        except PoolUnreachable as error:
            self._trouble(PoolStatus.DOWN, error)
        except PoolNotReady as error:
            self._trouble(PoolStatus.NOT_READY, error)
        else:
            self.status = status
            self._complaints.resolve((self.url, "poll"), f"{self.url} answers again.")

    def _trouble(self, status: PoolStatus, error: PoolError) -> None:
        self.status = status
        self._complaints.report((self.url, "poll"), f"{error} Trying again.")

    async def _ask(self) -> PoolStatus:
        config = await self._master.config()
        _check_handlers(self.url, config)
        recent = await recent_blocks(self._master, config, self.view.blocks if self.view else ())
        # Handlers and target are worth knowing even if not all blocks can be had.
        self._show(PoolView(config, recent.blocks))
        if recent.problem is not None:
            raise recent.problem
        if config.soft_version > SOFT_VERSION:
            self._complaints.report(
                (self.url, "soft version"),
                f"{self.url} offers newer features (soft version {config.soft_version}) than this "
                f"program knows ({SOFT_VERSION}). Mining works; look for a newer release.",
            )
        if not config.submit_ann_urls:
            self._complaints.report(
                (self.url, "handlers"),
                f"{self.url} has no announcement handlers at present: nothing can be sent there.",
            )
            return PoolStatus.NO_HANDLERS
        self._complaints.resolve((self.url, "handlers"), f"{self.url} has handlers again.")
        return PoolStatus.UP

    def _show(self, view: PoolView) -> None:
        if view != self.view:
            self.view = view
            self._on_change(self)


def _check_handlers(url: str, config: MasterConfig) -> None:
    for handler in config.submit_ann_urls:
        try:
            check_url(handler)
        except ConfigError as error:
            raise PoolNonsense(f'{url}: config.json, field "submitAnnUrls": {error}') from error
