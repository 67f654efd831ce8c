"""How a block handler learns what is mined: it follows the master's config, work and template."""

import asyncio
import logging

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.block_state import BlockState
from packetcrypt.handler.listing import Listing
from packetcrypt.operations.contact import Contact
from packetcrypt.protocol.errors import DecodeError, PoolError
from packetcrypt.protocol.pool_messages import MasterConfig

_log = logging.getLogger(__name__)


class BlockFollower:
    """Keeps a `BlockState` up to date.

    state        : None until the master has given work and template
    paymaker_url : None until the master has told it
    is_listed    : whether the master sends block miners here; None until it has told it
    contact      : whether the master answers
    """

    def __init__(self, master: MasterClient, settings: BlockHandlerSettings) -> None:
        self.state: BlockState | None = None
        self.paymaker_url: str | None = None
        self.is_listed: bool | None = None
        self.contact = Contact("the master")
        self._master = master
        self._tip = b""
        # A handler that is not listed still judges what miners of an older list send.
        self._listing = Listing(settings, "no block miner sends it shares")
        self._complaints = Complaints(_log)
        self._polling = asyncio.Lock()

    async def poll(self) -> None:
        """Looks at the master once. What it cannot say now is logged, and the last state stays."""
        async with self._polling:
            try:
                config = await self._master.config()
                self.paymaker_url = config.paymaker_url
                number = self._listing.number_in(config.submit_block_urls)
                self.is_listed = number is not None
                await self._follow(config)
            except PoolError as error:
                self.contact.note_failure()
                self._complaints.report(("master",), str(error))
                return
            self.contact.note_answer()
            self._complaints.resolve(("master",), "the master answers again")

    async def wait_for_next(self) -> None:
        """One long poll for the next height's work, and a look at the master when it is there.

        Miners wait for the work like this too: a handler that only looked now and then would
        refuse the first shares of a block as those of wrong work.
        """
        if self.state is None:
            return
        try:
            if await self._master.wait_for_work(self.state.work.height + 1) is not None:
                await self.poll()
        except PoolError as error:
            # Some masters have no long poll; then `poll` is all there is.
            self._complaints.report(("long poll",), str(error))
        else:
            self._complaints.resolve(("long poll",), "the master holds requests for work again")

    async def _follow(self, config: MasterConfig) -> None:
        height, tip = config.current_height, config.tip_hash
        if self.state is not None and (self.state.work.height, self._tip) == (height, tip):
            return
        work = await self._master.work(height)
        template = await self._master.block_template(height)
        try:
            state = BlockState(work, template)
        except DecodeError as error:
            raise PoolNonsense(
                f"no block can be made of what the master {self._master.url} gives for height "
                f"{height}: {error}. Look at the master's log."
            ) from error
        if self.state != state:
            _log.info("block %d is mined, after %s", height, work.header.previous_hash[::-1].hex())
        self.state, self._tip = state, tip
