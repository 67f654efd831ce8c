"""What work is worth before there was any block event: the node says it, once for a ledger."""

import logging
from typing import Final

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.pktd import PktdClient
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.pool.ledger import Ledger, LedgerError
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_history import History
from packetcrypt.protocol.errors import PoolError

_NODE: Final = ("difficulty",)

_log = logging.getLogger(__name__)


class FirstDifficulty:
    """Asks the node until it has answered, and writes it down: it must not change at a restart."""

    def __init__(
        self, node: PktdClient, ledger: Ledger, history: History, disk: DiskThread
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._history = history
        self._disk = disk
        self._complaints = Complaints(_log)
        self.is_known = False

    async def recover(self) -> None:
        """Takes up what the ledger says. Call once, first."""
        difficulty = await self._disk.run(self._ledger.first_difficulty)
        if difficulty is not None:
            self._history.set_first_difficulty(difficulty)
            self.is_known = True

    async def ask_if_unknown(self) -> None:
        """One question; trouble is reported, and the next call asks again."""
        if self.is_known:
            return
        try:
            difficulty = await self._tip_difficulty()
            await self._disk.run(self._ledger.set_first_difficulty, difficulty, milliseconds_now())
        except (PoolError, LedgerError) as error:
            text = f"work before the first block event counts nothing yet: {error}"
            self._complaints.report(_NODE, text)
            return
        self._history.set_first_difficulty(difficulty)
        self.is_known = True
        _log.info("work before the first block event counts at difficulty %g", difficulty)

    async def _tip_difficulty(self) -> float:
        block = await self._node.block_header(await self._node.best_block_hash())
        if block.difficulty <= 0:
            raise PoolError(f"pktd says that block {block.height} has no difficulty")
        return block.difficulty
