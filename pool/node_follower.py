"""How the master learns of a new block: it asks the node, and publishes work for the next."""

import logging
import time
from dataclasses import dataclass
from typing import Final

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.daemon_thread import run_in_daemon_thread
from packetcrypt.client.pktd import PktdClient
from packetcrypt.operations.contact import Contact
from packetcrypt.pool.share_work import WorkMaker
from packetcrypt.pool.wake_up import WakeUp
from packetcrypt.pool.work_files import PublishedWork, WorkFiles
from packetcrypt.protocol.errors import PoolError

_log = logging.getLogger(__name__)

_NODE: Final = ("node",)


@dataclass(frozen=True)
class CurrentWork:
    """What is mined now; work_bytes and template_bytes are served as they are."""

    height: int
    tip_hash: bytes
    work_bytes: bytes
    template_bytes: bytes

    @classmethod
    def of(cls, published: PublishedWork) -> "CurrentWork":
        """Encoded once, for all who ask."""
        return cls(
            published.work.height,
            published.work.header.previous_hash,
            published.work_bytes,
            published.template_bytes,
        )


class NodeFollower:
    """Keeps the current work up to date.

    current       : None until the node has given a template. While the node is away it stays what
                    it was: miners mine on
    current_since : when that became current, in seconds since 1970
    published     : works that became current, since the start
    is_behind     : whether the node has a newer block, whose work could not be stored
    contact       : whether the node answers
    """

    def __init__(self, node: PktdClient, maker: WorkMaker, files: WorkFiles) -> None:
        self.current: CurrentWork | None = None
        self.current_since = 0.0
        self.published = 0
        self.is_behind = False
        self.contact = Contact("the node")
        self._node = node
        self._maker = maker
        self._files = files
        self._complaints = Complaints(_log)
        self._new_work = WakeUp()

    async def poll(self) -> None:
        """Ask the node once; trouble is reported, and what was published stays."""
        try:
            await self._follow()
        except PoolError as error:
            self.contact.note_failure()
            self._complaints.report(_NODE, f"{error} What is published stays; trying again.")
        except OSError as error:
            self.contact.note_answer()
            self.is_behind = True
            self._complaints.report(
                _NODE, f"work cannot be stored: {error}. Make room, or check the folder's rights."
            )
        else:
            self.contact.note_answer()
            self._complaints.resolve(_NODE, "the node answers again.")

    async def wait_for_change(self, seconds: float) -> None:
        """Until there is other work, `seconds` at most."""
        await self._new_work.wait(seconds)

    async def let_go(self) -> None:
        """Ends all waits for other work, although there is none."""
        await self._new_work.wake()

    async def _follow(self) -> None:
        tip = await self._node.best_block_hash()
        if self.current is not None and self.current.tip_hash == tip:
            return
        template = await self._node.block_template()
        if template.header.previous_hash != tip:
            return  # yet another block came between the two questions; the next poll sees it
        published = await run_in_daemon_thread(self._files.publish, self._maker.make(template))
        self.current = CurrentWork.of(published)
        self.current_since = time.time()
        self.published += 1
        self.is_behind = False
        _log.info(
            "work for block %d on %s…, share target %#010x",
            template.height,
            tip[::-1].hex()[:16],
            published.work.share_target,
        )
        await self._new_work.wake()
