"""What a pool's master says: its configuration, its recent blocks, its work (spec 2 "Master")."""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import aiohttp

from packetcrypt.client.http import (
    HttpAnswer,
    HttpLimits,
    PoolNonsense,
    PoolNotReady,
    check_url,
    get,
)
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.pool_messages import (
    SESSION_HEADER,
    BlockInfo,
    MasterConfig,
    MasterNotReadyError,
)
from packetcrypt.protocol.work_file import BlockWork

F = TypeVar("F", BlockWork, BlockTemplate)

# A configuration of a hundred handlers has 10 KiB; pools are polled every few seconds.
LIMITS = HttpLimits(body_size=256 * 1024, seconds=10.0)

WORK_SIZE_LIMIT = 16 << 20
"""bytes of a work file or block template: a full block, and a coinbase that pays thousands"""

LONG_POLL_SECONDS = 30.0
"""how long a master may hold a request for the next height's work (spec 2)"""


class MasterClient:
    """Asks one master. Nothing is cached; the errors are the `PoolError`s of client.http.

    The master's URL is the one that people give, e.g. http://pool.example/master; block information
    comes from where the newest configuration says (`blkinfoUrl`, else `masterUrl`), and before
    there is one from that URL too.
    """

    def __init__(
        self, session: aiohttp.ClientSession, master_url: str, limits: HttpLimits = LIMITS
    ) -> None:
        self.url = check_url(master_url).rstrip("/")
        self._session = session
        self._limits = limits
        # The existing miners send a random number on their GETs; masters may count clients by it.
        self._headers = {SESSION_HEADER: secrets.token_hex(16)}
        self._block_info_base = self.url

    async def config(self) -> MasterConfig:
        """`GET /config.json`."""
        body = await self._get(f"{self.url}/config.json")
        try:
            config = MasterConfig.decode(body)
        except MasterNotReadyError as error:
            raise PoolNotReady(
                f"{self.url} is not ready: {error}. It is starting, or its node is down."
            ) from error
        except DecodeError as error:
            raise PoolNonsense(
                f"{self.url} is not a PacketCrypt pool that this program can use: {error}"
            ) from error
        self._block_info_base = (config.blkinfo_url or config.master_url).rstrip("/")
        return config

    async def blkinfo(self, hash_hex: str) -> BlockInfo:
        """`GET /blkinfo_<hash>.json`; the hash in display order, as in config.json's tipHash."""
        url = f"{self._block_info_base}/blkinfo_{hash_hex}.json"
        body = await self._get(url)
        try:
            info = BlockInfo.decode(body)
        except DecodeError as error:
            raise PoolNonsense(f"GET {url} answered no block information: {error}") from error
        if info.hash[::-1].hex() != hash_hex.lower():
            raise PoolNonsense(
                f"GET {url} answered another block, {info.hash[::-1].hex()}. "
                "The pool's master is broken; tell its operator."
            )
        return info

    async def work(self, height: int) -> BlockWork:
        """`GET /work_<height>.bin`, of the height that is mined now."""
        url = f"{self.url}/work_{height}.bin"
        return self._decoded(url, height, BlockWork.decode, await self._get_file(url))

    async def wait_for_work(self, height: int) -> BlockWork | None:
        """The same of a height that comes next: waits until it is mined, or for half a minute.

        None if it is still not: ask again. What is mined then is told by `config`, because the
        chain may have gone another way.
        """
        url = f"{self.url}/work_{height}.bin"
        seconds = LONG_POLL_SECONDS + self._limits.seconds
        answer = await self._ask_for_file(url, seconds)
        if answer.status == HTTPStatus.MULTIPLE_CHOICES:
            return None
        self._check_status(url, answer)
        return self._decoded(url, height, BlockWork.decode, answer.body)

    async def block_template(self, height: int) -> BlockTemplate:
        """`GET /bt_<height>.bin`, of the height that is mined now."""
        url = f"{self.url}/bt_{height}.bin"
        return self._decoded(url, height, BlockTemplate.decode, await self._get_file(url))

    def _decoded(self, url: str, height: int, decode: Callable[[bytes], F], body: bytes) -> F:
        try:
            decoded = decode(body)
        except DecodeError as error:
            raise PoolNonsense(
                f"GET {url} answered something else: {error}. Is {self.url} the pool's master?"
            ) from error
        if decoded.height != height:
            raise PoolNonsense(
                f"GET {url} answered what belongs to height {decoded.height}. "
                "The pool's master is broken; tell its operator."
            )
        return decoded

    async def _get_file(self, url: str) -> bytes:
        answer = await self._ask_for_file(url, self._limits.seconds)
        if answer.status == HTTPStatus.MULTIPLE_CHOICES:
            raise PoolNotReady(
                f"{self.url} is not ready: GET {url} answered that this height is still to come. "
                "Its configuration and its work are not of one moment; ask again."
            )
        self._check_status(url, answer)
        return answer.body

    async def _ask_for_file(self, url: str, seconds: float) -> HttpAnswer:
        limits = HttpLimits(WORK_SIZE_LIMIT, seconds)
        answer = await get(self._session, url, limits, self._headers)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise PoolNonsense(
                f"GET {url} answered 404: the master does not have that height, or serves no work. "
                "The chain may have become shorter; else look at the master's log."
            )
        return answer

    async def _get(self, url: str) -> bytes:
        answer = await get(self._session, url, self._limits, self._headers)
        self._check_status(url, answer)
        return answer.body

    def _check_status(self, url: str, answer: HttpAnswer) -> None:
        name = url.rpartition("/")[2]
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PoolNotReady(
                f"{self.url} is not ready: GET /{name} answered {answer.status}. "
                "It is starting, or its node is down."
            )
        if answer.status != HTTPStatus.OK:
            raise PoolNonsense(
                f"{self.url}/ is not a PacketCrypt pool: GET /{name} answered {answer.status}.\n"
                "Give the pool's master URL, e.g. http://pool.example/master"
            )
        if answer.content_type == "text/html":
            raise PoolNonsense(
                f"{self.url}/ is not a PacketCrypt pool: GET /{name} answered a web page.\n"
                "Give the pool's master URL, e.g. http://pool.example/master"
            )
