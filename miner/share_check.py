"""Whether a share will stand up at the handler: looked at as the node will, before it is sent."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.miner.announcement_intake import Checker
from packetcrypt.miner.chain import ParentHashes
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.block_check import BlockCheck, CheckedBlock, check_block
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.validation import (
    AnnouncementCheck,
    CheckedAnnouncement,
    check_announcement,
)

GOOD: Final = (BlockCheck.OK, BlockCheck.SHARE_OK)

_PATIENCE_S: Final = 2.0
"""How long a share waits for the device, behind the announcements that it checks: NumPy needs
minutes for a thousand of different jobs."""


class ShareChecker:
    """Checks the shares of one engine.

    The announcements are checked on the device that checks all others, or in plain Python (half a
    second for the four of them) if it has too much to do or fails; everything else by the
    protocol's plain code.
    """

    def __init__(
        self, parents: ParentHashes, checker: Checker, patience_s: float = _PATIENCE_S
    ) -> None:
        self._parents = parents
        self._checker = checker
        self._patience_s = patience_s

    async def check(self, share: FoundShare) -> CheckedBlock | None:
        """The verdict; None if a parent block is not in the chain any more."""
        headers = [AnnouncementHeader.decode(raw) for raw in share.proof.announcements]
        known = [self._parents.hash_at(header.parent_height) for header in headers]
        parents = [parent for parent in known if parent is not None]
        if len(parents) < len(headers):
            return None
        check = partial(
            check_block,
            share.header,
            share.commitment,
            share.proof,
            share.work.height,
            share.work.share_target,
            parents,
        )
        rows = np.frombuffer(b"".join(share.proof.announcements), np.uint8).reshape(-1, 1024)
        hashes = np.frombuffer(b"".join(parents), np.uint8).reshape(-1, 32)
        try:
            async with asyncio.timeout(self._patience_s):
                checked = await asyncio.wrap_future(self._checker.submit(rows, hashes))
        except (TimeoutError, DeviceError):
            return await asyncio.to_thread(check, announcement_check=check_announcement)
        return check(announcement_check=_as_checked(share, checked.results.tolist()))


def _as_checked(
    share: FoundShare, results: list[int]
) -> Callable[[bytes, bytes], CheckedAnnouncement]:
    """The device's verdicts in the form in which `check_block` asks for them."""
    verdicts = dict(zip(share.proof.announcements, results, strict=True))

    def check(announcement: bytes, _parent_hash: bytes) -> CheckedAnnouncement:
        return CheckedAnnouncement(AnnouncementCheck(verdicts[announcement]))

    return check
