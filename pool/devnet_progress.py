"""How far a devnet is: what its chain, its paymaker and its miners say."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import HttpLimits, get
from packetcrypt.client.pktd import PktdSettings, pktd_client
from packetcrypt.pool.devnet_chain import ChainWatch
from packetcrypt.pool.devnet_counts import MinerCounts
from packetcrypt.pool.devnet_settings import DevnetUrls
from packetcrypt.pool.devnet_summary import Summary
from packetcrypt.protocol.errors import PacketCryptError
from packetcrypt.protocol.json_fields import JsonFields

_BLOCKS_LIMITS: Final = HttpLimits(body_size=1 << 20, seconds=5.0)
_AGAIN_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class Progress:
    """What a devnet has done so far. `look` again and again; the others say what it saw."""

    def __init__(
        self,
        chain: ChainWatch,
        session: aiohttp.ClientSession,
        urls: DevnetUrls,
        counts: MinerCounts,
        wanted: int | None,
    ) -> None:
        self._chain = chain
        self._session = session
        self._paymaker = urls.paymaker
        self._counts = counts
        self._wanted = wanted
        self._finders: dict[bytes, str] = {}
        self._complaints = Complaints(_log)
        self._announced = 0

    @property
    def is_complete(self) -> bool:
        """Whether the wanted number of blocks was mined."""
        return self._wanted is not None and len(self._chain.mined) >= self._wanted

    @property
    def has_all_finders(self) -> bool:
        """Whether the paymaker knows who found each of the blocks."""
        return all(block.hash in self._finders for block in self.summary().blocks)

    def summary(self) -> Summary:
        """What was done, up to the wanted number of blocks."""
        blocks = self._chain.mined[: self._wanted]
        return Summary(blocks, self._finders, self._counts.announcements, self._counts.shares)

    async def look(self) -> None:
        """Asks all; who does not answer, because he starts again, is asked the next time."""
        try:
            await self._chain.look()
            await self._ask_finders()
        except PacketCryptError as error:
            self._complaints.report(("look",), str(error))

    async def learn_finders(self, seconds: float) -> None:
        """Waits until it is known who found the blocks, for so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.has_all_finders:
                    await asyncio.sleep(_AGAIN_SECONDS)
                    await self.look()

    def announce_blocks(self) -> None:
        """Says it of every block that has come since the last time."""
        mined = self._chain.mined
        for number, block in enumerate(mined[self._announced :], self._announced + 1):
            _log.info(
                "block %d%s: %d %s",
                *(number, self._of_wanted, block.height, block.hash[::-1].hex()),
            )
        self._announced = len(mined)

    def say(self) -> None:
        """A line about how it goes."""
        counts = self._counts
        _log.info(
            "height %s  blocks %d%s  shares %d (%s)  announcements %d (%s)",
            *("-" if self._chain.height is None else self._chain.height, len(self._chain.mined)),
            *(self._of_wanted, counts.shares.accepted, counts.block_speed),
            *(counts.announcements.accepted, counts.announcement_speed),
        )

    @property
    def _of_wanted(self) -> str:
        return "" if self._wanted is None else f"/{self._wanted}"

    async def _ask_finders(self) -> None:
        if self.has_all_finders:
            return
        answer = await get(self._session, f"{self._paymaker}/blocks", _BLOCKS_LIMITS)
        for block in JsonFields.parse(answer.body, "the paymaker's blocks").objects("blocks"):
            if block.boolean("won") and not block.is_null("hash"):
                self._finders[block.hex_bytes("hash", 32)[::-1]] = block.text("finder")


@asynccontextmanager
async def watching(
    node: PktdSettings, urls: DevnetUrls, counts: MinerCounts, wanted: int | None
) -> AsyncIterator[Progress]:
    """A progress whose connections are closed when the context is left.

    counts : of the miners' work; somebody else keeps them up to date
    wanted : blocks to be mined; None: as many as come
    """
    async with pktd_client(node) as client, aiohttp.ClientSession() as session:
        yield Progress(ChainWatch(client), session, urls, counts, wanted)
