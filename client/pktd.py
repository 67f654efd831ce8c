"""What a pool asks its pktd node (spec 2 "pktd JSON-RPC"), and how the node is reached."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import aiohttp

from packetcrypt.client.http import check_url
from packetcrypt.client.json_rpc import JsonRpcClient, RpcMisconfigured, RpcRefused, tls_context
from packetcrypt.client.pktd_block import BlockPayments
from packetcrypt.client.resolver import DaemonResolver
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_proof import PROOF_VERSION
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.errors import ConfigError, DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields
from packetcrypt.protocol.pool_messages import BlockInfo

SETTINGS_TABLE: Final = "[pktd]"
_HASH_SIZE: Final = 32


@dataclass(frozen=True, kw_only=True)
class PktdSettings:
    """Where the pool's node is: the table `[pktd]` of pool.toml.

    url             : of its JSON-RPC; the default is that of a mainnet node on this machine, where
                      pktd speaks without TLS unless it is told otherwise
    user, password  : rpcuser and rpcpass of pktd
    tls_certificate : the only certificate to trust, usually pktd's own rpc.cert; None: those that
                      this system trusts
    tls_verify      : false accepts any certificate: then whoever is between here and the node can
                      read the password and answer in the node's place
    timeout         : seconds in which a call must be answered. Checking a share takes a node
                      milliseconds, taking a full block up to seconds
    """

    url: str = "http://127.0.0.1:64765"
    user: str
    password: str = field(repr=False)
    tls_certificate: Path | None = None
    tls_verify: bool = True
    timeout: float = 30.0

    def __post_init__(self) -> None:
        try:
            check_url(self.url)
        except ConfigError:
            raise ConfigError(
                f'url = "{self.url}" is no HTTP URL: give the whole URL of pktd\'s JSON-RPC, '
                'e.g. "http://127.0.0.1:64765"'
            ) from None
        is_tls = self.url.lower().startswith("https:")
        if self.tls_certificate is not None and not is_tls:
            raise ConfigError(
                f'tls_certificate = "{self.tls_certificate}" is of no use for an url with http://: '
                "give url with https://, or no certificate"
            )
        if self.tls_certificate is not None and not self.tls_verify:
            raise ConfigError(
                "tls_verify = false makes tls_certificate useless: leave one of them out"
            )
        if not 0 < self.timeout < 1e9:
            raise ConfigError(f"timeout = {self.timeout} cannot work: give seconds, more than 0")


class ShareVerdict(Enum):
    """What a node says about a good share."""

    OK = "OK"
    RESUBMIT_AS_BLOCK = "RESUBMIT_AS_BLOCK"


@dataclass(frozen=True, kw_only=True)
class ShareToCheck:
    """The argument of checkpcshare.

    share_target        : compact
    block               : header, proof sections with their end marker, and no transactions (`00`)
    coinbase_no_witness : with the commitment in it
    merkle_branch       : siblings of the coinbase, 32 bytes each, lowest first
    """

    share_target: int
    height: int
    block: bytes
    coinbase_no_witness: bytes
    merkle_branch: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """The object for `json.dumps`."""
        return {
            "sharetarget": self.share_target,
            "height": self.height,
            "hexblock": self.block.hex(),
            "coinbase": self.coinbase_no_witness.hex(),
            "merklebranch": [sibling.hex() for sibling in self.merkle_branch],
        }


class PktdClient:
    """The calls. Hashes are bytes in internal byte order; errors are those of client.json_rpc."""

    def __init__(self, session: aiohttp.ClientSession, settings: PktdSettings) -> None:
        self._url = settings.url
        self._rpc = JsonRpcClient(
            session,
            settings.url,
            settings.user,
            settings.password,
            settings.timeout,
            name="pktd",
            settings=SETTINGS_TABLE,
        )

    async def best_block_hash(self) -> bytes:
        """Hash of the newest block."""
        result = await self._rpc.call("getbestblockhash")
        with self._decoding("getbestblockhash"):
            return JsonFields({"result": result}, "the answer").hex_bytes("result", _HASH_SIZE)[
                ::-1
            ]

    async def block_header(self, block_hash: bytes) -> BlockInfo:
        """What the node says about a block; it has no signing key, which is the pool's own."""
        result = await self._rpc.call("getblockheader", block_hash[::-1].hex(), True)
        with self._decoding("getblockheader"):
            return BlockInfo.of_header(JsonFields(result, "the answer"))

    async def block(self, block_hash: bytes) -> BlockPayments:
        """What is in a block, and whom it pays."""
        # With its transactions spelled out: otherwise only their ids come.
        result = await self._rpc.call("getblock", block_hash[::-1].hex(), True, True)
        with self._decoding("getblock"):
            return BlockPayments.decode(JsonFields(result, "the answer"))

    async def block_template(self) -> BlockTemplate:
        """A new block to mine, with placeholders for the commitment in its coinbase."""
        result = await self._rpc.call("getrawblocktemplate")
        with self._decoding("getrawblocktemplate"):
            fields = JsonFields(result, "the answer")
            return BlockTemplate(
                height=fields.integer("height", 0, I32_MAX),
                header=BlockHeader.decode(_bytes(fields.text("header"))),
                coinbase_no_witness=_bytes(fields.text("coinbase_no_witness")),
                merkle_branch=tuple(map(_bytes, fields.texts("merklebranch"))),
                transactions=tuple(map(_bytes, fields.texts("transactions"))),
            )

    async def check_share(self, share: ShareToCheck) -> ShareVerdict:
        """Asks the node to judge a share; `RpcRefused` says why it is not good."""
        result = await self._rpc.call("checkpcshare", share.as_json())
        try:
            return ShareVerdict(result)
        except ValueError:
            reason = str(result)
            raise RpcRefused(
                f"pktd at {self._url} did not accept a share: {reason}", None, reason
            ) from None

    async def check_announcement(self, announcement: bytes, parent_hash: bytes) -> bytes:
        """Asks the node to judge an announcement of 1024 bytes; returns its work hash.

        `RpcRefused` says why it is not good. The parent need not be in the node's chain.
        """
        result = await self._rpc.call(
            "checkpcann", announcement.hex(), PROOF_VERSION, parent_hash[::-1].hex()
        )
        with self._decoding("checkpcann"):
            return JsonFields(result, "the answer").hex_bytes("workhash", _HASH_SIZE)[::-1]

    async def submit_block(self, block: bytes) -> None:
        """Gives the node a whole block; `RpcRefused` says why it did not take it."""
        reason = await self._rpc.call("submitblock", block.hex())
        if reason is not None:
            raise RpcRefused(
                f"pktd at {self._url} did not take a block: {reason}", None, str(reason)
            )

    async def configure_mining_payouts(self, payouts: Mapping[str, float]) -> None:
        """Says to whom the next blocks pay, as fractions by address that sum up to 1."""
        await self._rpc.call("configureminingpayouts", dict(payouts))

    @contextmanager
    def _decoding(self, method: str) -> Iterator[None]:
        try:
            yield
        except DecodeError as error:
            raise RpcMisconfigured(
                f"pktd at {self._url} answered {method} with something else: {error}. "
                "Check url in [pktd]: does another program listen there, or an older pktd?"
            ) from error


@asynccontextmanager
async def pktd_client(settings: PktdSettings) -> AsyncIterator[PktdClient]:
    """A client with connections of its own; ConfigError if the certificate cannot be read."""
    certificate = settings.tls_certificate
    try:
        tls = tls_context(
            None if certificate is None else str(certificate), is_verified=settings.tls_verify
        )
    except OSError as error:
        raise ConfigError(
            f'tls_certificate = "{certificate}" cannot be used ({error.strerror or error}): give '
            "the path of a certificate in PEM form, e.g. pktd's rpc.cert"
        ) from error
    # A connection that the node gave up meanwhile would look like a call without an answer, and
    # only the caller knows what may be asked twice. So each call has its own.
    connector = aiohttp.TCPConnector(ssl=tls, force_close=True, resolver=DaemonResolver())
    async with aiohttp.ClientSession(connector=connector) as session:
        yield PktdClient(session, settings)


def _bytes(hexadecimal: str) -> bytes:
    try:
        return bytes.fromhex(hexadecimal)
    except ValueError:
        raise DecodeError(f"{hexadecimal[:60]!r} is not hexadecimal") from None
