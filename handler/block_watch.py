"""Which blocks the chain has got, whoever found them: they are logged for the paymaker.

Shares are paid by the difficulty of the newest block event before them (spec 2 "Paymaker").
"""

import logging
import time
from collections.abc import Sequence

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.pktd import PktdClient
from packetcrypt.handler.block_journal import BlockJournal
from packetcrypt.operations.contact import Contact
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.pool_messages import BlockInfo
from packetcrypt.protocol.share_messages import BlockEvent, block_event_id

CATCH_UP = 100
"""blocks that are looked for behind the tip after a node was away: more than an hour of them"""

_log = logging.getLogger(__name__)


class BlockWatch:
    """Asks the node for its tip, and logs what is new since it was asked before.

    contact : whether the node answers
    """

    def __init__(self, pktd: PktdClient, journal: BlockJournal) -> None:
        self.contact = Contact("the node")
        self._pktd = pktd
        self._journal = journal
        self._logged = b""
        self._complaints = Complaints(_log)

    async def look(self) -> None:
        """One look. What the node cannot say now, or the disk not take, is looked for again."""
        try:
            blocks = await self._new_blocks()
        except PoolError as error:
            self.contact.note_failure()
            self._complaints.report(("pktd",), str(error))
            return
        self.contact.note_answer()
        self._complaints.resolve(("pktd",), "pktd answers again")
        try:
            await self._write(blocks)
        except OSError as error:
            self._complaints.report(
                ("disk",),
                f"blocks of the chain are not logged, the disk does not take them: {error}",
            )
            return
        self._complaints.resolve(("disk",), "the disk takes blocks of the chain again")

    async def _write(self, blocks: Sequence[BlockInfo]) -> None:
        now = time.time_ns() // 1_000_000
        for block in reversed(blocks):
            # Blocks that were missed are as old as they say, as far as that can be true.
            at = now if block is blocks[0] else min(now, block.time * 1000)
            await self._journal.write(
                BlockEvent(
                    hash=block.hash, height=block.height, difficulty=block.difficulty, time=at
                )
            )
            self._logged = block.hash
            _log.info("the chain has block %d %s", block.height, block.hash[::-1].hex())

    async def _new_blocks(self) -> list[BlockInfo]:
        """Blocks that are not logged, newest first.

        A journal that knows no block has nothing to catch up with: then it is only the tip.
        """
        wanted: bytes | None = await self._pktd.best_block_hash()
        is_first_look = not self._logged and not self._journal.knows_blocks
        blocks: list[BlockInfo] = []
        while wanted is not None and len(blocks) < (1 if is_first_look else CATCH_UP):
            if wanted == self._logged or self._journal.has(block_event_id(wanted)):
                break
            blocks.append(await self._pktd.block_header(wanted))
            wanted = blocks[-1].previous_hash
        return blocks
