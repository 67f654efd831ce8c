"""What `GET /blocks` says: the newest blocks, and who of this pool found which."""

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any, Final

from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.http_answers import Overloaded
from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.ledger_blocks import LedgerBlock

ANSWER_SECONDS: Final = 2.0
"""how long an answer serves everybody: the ledger is for writing first"""
WAITING_MAX: Final = 32
"""questions that may wait while the disk thread writes an upload; anybody may ask"""


class BlockList:
    """Reads the blocks from the ledger, at most once in `ANSWER_SECONDS`."""

    def __init__(self, ledger: Ledger, disk: DiskThread) -> None:
        self._ledger = ledger
        self._disk = disk
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._answer = b""
        self._answered_at = -ANSWER_SECONDS

    async def answer(self) -> bytes:
        """The JSON text. `Overloaded` if too many wait for it; LedgerError if it cannot be read."""
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            async with self._turn:
                if time.monotonic() - self._answered_at >= ANSWER_SECONDS:
                    blocks = await self._disk.run(self._ledger.blocks)
                    self._answer = json.dumps(blocks_as_json(blocks)).encode()
                    self._answered_at = time.monotonic()
                return self._answer
        finally:
            self._waiting -= 1


def blocks_as_json(blocks: Iterable[LedgerBlock]) -> dict[str, Any]:
    """The object for `json.dumps`; hashes as they are displayed."""
    return {
        "blocks": [
            {
                "height": block.height,
                "hash": None if block.hash is None else block.hash[::-1].hex(),
                "time": block.time,
                "finder": block.finder,
                "eventId": block.event_id.hex(),
                "won": block.finder is not None,
                "displaced": block.is_displaced,
            }
            for block in blocks
        ]
    }
