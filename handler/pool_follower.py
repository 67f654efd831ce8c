"""How a handler learns what the pool asks: it follows the master's config and blkinfo."""

import logging
from collections.abc import Awaitable, Callable

from packetcrypt.client.master import MasterClient
from packetcrypt.handler.complaints import Complaints
from packetcrypt.handler.pool_state import TRACKED_PARENTS, ParentBlock, PoolState
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.pool_messages import MasterConfig

_log = logging.getLogger(__name__)


class PoolFollower:
    """Keeps a `PoolState` up to date.

    state        : None until the master has told everything, and while it does not list this
                   handler
    paymaker_url : None until the master has told it. A handler that is not listed any more still
                   has pay logs to upload
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
        self._master = master
        self._settings = settings
        self._on_change = on_change
        self._complaints = Complaints(_log)

    async def poll(self) -> None:
        """Looks at the master once. What it cannot say now is logged, and the last state stays."""
        try:
            config = await self._master.config()
            self.paymaker_url = config.paymaker_url
            number = self._own_number(config)
            parents = await self._parents(config)
        except PoolError as error:
            self._complaints.log(str(error))
            return
        if number is None:
            self.state = None
            return
        state = PoolState(
            parents=parents,
            handler_number=number,
            handler_count=len(config.submit_ann_urls),
            ann_target=config.ann_target,
            ann_versions=config.ann_versions,
        )
        if state != self.state:
            await self._on_change(state)
            self._log_change(state)
            self.state = state

    def _own_number(self, config: MasterConfig) -> int | None:
        urls = [url.rstrip("/") for url in config.submit_ann_urls]
        if self._settings.submit_url in urls:
            return urls.index(self._settings.submit_url)
        listed = ", ".join(config.submit_ann_urls) or "empty"
        self._complaints.log(
            f"the master {self._settings.pool.master_url} does not list this handler, so that "
            f"nothing is accepted: its submitAnnUrls must contain {self._settings.submit_url} "
            f"(this handler's public_url and /submit), but are {listed}"
        )
        return None

    async def _parents(self, config: MasterConfig) -> tuple[ParentBlock, ...]:
        """The tip and the blocks before it, as far as the master knows them.

        Blocks that are known already are not asked for again. Where the master cannot go on (an old
        block of a young pool), fewer parents are tracked until it can.
        """
        known = {parent.hash: parent for parent in self.state.parents} if self.state else {}
        parents: list[ParentBlock] = []
        wanted: bytes | None = config.tip_hash
        height = config.current_height - 1
        while wanted is not None and height >= 0 and len(parents) < TRACKED_PARENTS:
            try:
                parent = known.get(wanted) or await self._ask_parent(wanted, height)
            except PoolError as error:
                if not parents:
                    raise
                self._complaints.log(str(error))
                break
            parents.append(parent)
            wanted, height = parent.previous_hash, height - 1
        if not parents:
            raise PoolError(
                f"the master {self._settings.pool.master_url} says that block "
                f"{config.current_height} is mined next, which leaves no parent block for "
                "announcements: wait for the first block"
            )
        return tuple(parents)

    async def _ask_parent(self, block_hash: bytes, height: int) -> ParentBlock:
        info = await self._master.blkinfo(block_hash[::-1].hex())
        if info.height != height:
            raise PoolError(
                f"the master {self._settings.pool.master_url} says in blkinfo that block "
                f"{block_hash[::-1].hex()} has height {info.height}, but its config.json and the "
                f"blocks after it say {height}: look at its log"
            )
        return ParentBlock(height, block_hash, info.previous_hash, info.signing_key)

    def _log_change(self, state: PoolState) -> None:
        old = self.state
        if old is None or (old.handler_number, old.handler_count) != (
            state.handler_number,
            state.handler_count,
        ):
            _log.info("this is handler %d of %d", state.handler_number, state.handler_count)
        if old is None or old.tip != state.tip:
            _log.info("the tip is block %d %s", state.tip.height, state.tip.hash[::-1].hex())
