"""How a handler learns what the pool asks: it follows the master's config and blkinfo."""

import logging
from collections.abc import Awaitable, Callable

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.master import MasterClient
from packetcrypt.client.recent_blocks import recent_blocks
from packetcrypt.handler.listing import Listing
from packetcrypt.handler.pool_state import ParentBlock, PoolState
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.operations.contact import Contact
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.pool_messages import BlockInfo, MasterConfig

_log = logging.getLogger(__name__)


class PoolFollower:
    """Keeps a `PoolState` up to date.

    state        : None until the master has told everything, and while it does not list this
                   handler
    paymaker_url : None until the master has told it. A handler that is not listed any more still
                   has pay logs to upload
    is_listed    : whether the master lists this handler, when it was last asked
    contact      : whether the master answers
    on_change    : awaited with every new state before it becomes `state`, so that nothing is taken
                   in under a state that the files do not know yet
    """

    def __init__(
        self,
        master: MasterClient,
        settings: AnnHandlerSettings,
        on_change: Callable[[PoolState], Awaitable[None]],
    ) -> None:
        self.state: PoolState | None = None
        self.paymaker_url: str | None = None
        self.is_listed = False
        self.contact = Contact("the master")
        self._master = master
        self._settings = settings
        self._on_change = on_change
        self._complaints = Complaints(_log)
        self._listing = Listing(settings, "nothing is accepted")
        self._blocks: tuple[BlockInfo, ...] = ()

    async def poll(self) -> None:
        """Looks at the master once. What it cannot say now is logged, and the last state stays."""
        try:
            config = await self._master.config()
            self.paymaker_url = config.paymaker_url
            number = self._listing.number_in(config.submit_ann_urls)
            self._blocks = await self._recent_blocks(config)
        except PoolError as error:
            self._complaints.report(("master",), str(error))
            self.contact.note_failure()
            return
        self._complaints.resolve(("master",), "the master answers again")
        self.contact.note_answer()
        self.is_listed = number is not None
        if number is None:
            # Whoever is not listed starts anew when it is again, also with what it knew of blocks.
            self.state, self._blocks = None, ()
            return
        state = PoolState(
            parents=tuple(map(ParentBlock.of, self._blocks)),
            handler_number=number,
            handler_count=len(config.submit_ann_urls),
            ann_target=config.ann_target,
            ann_versions=config.ann_versions,
        )
        if state != self.state:
            await self._on_change(state)
            self._log_change(state)
            self.state = state

    async def _recent_blocks(self, config: MasterConfig) -> tuple[BlockInfo, ...]:
        """The blocks that announcements may have as parents, the tip first.

        Where the master cannot go on (an old block of a young pool), fewer parents are tracked
        until it can.
        """
        recent = await recent_blocks(self._master, config, self._blocks)
        if recent.problem is not None:
            if not recent.blocks:
                raise recent.problem
            self._complaints.report(("old blocks",), str(recent.problem))
        if not recent.blocks:
            raise PoolError(
                f"the master {self._settings.pool.master_url} says that block "
                f"{config.current_height} is mined next, which leaves no parent block for "
                "announcements: wait for the first block"
            )
        return recent.blocks

    def _log_change(self, state: PoolState) -> None:
        old = self.state
        if old is None or (old.handler_number, old.handler_count) != (
            state.handler_number,
            state.handler_count,
        ):
            _log.info("this is handler %d of %d", state.handler_number, state.handler_count)
        if old is None or old.tip != state.tip:
            _log.info("the tip is block %d %s", state.tip.height, state.tip.hash[::-1].hex())
