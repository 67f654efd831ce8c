"""What a pool's master says: its configuration and the blocks it builds on (spec 2 "Master")."""

import secrets
from http import HTTPStatus

import aiohttp

from packetcrypt.client.http import (
    HttpLimits,
    PoolNonsense,
    PoolNotReady,
    check_url,
    get,
)
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.pool_messages import (
    SESSION_HEADER,
    BlockInfo,
    MasterConfig,
    MasterNotReadyError,
)

# A configuration of a hundred handlers has 10 KiB; pools are polled every few seconds.
LIMITS = HttpLimits(body_size=256 * 1024, seconds=10.0)


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

    async def _get(self, url: str) -> bytes:
        answer = await get(self._session, url, self._limits, self._headers)
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
        return answer.body
