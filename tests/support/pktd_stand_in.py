"""A pktd over real HTTP: it judges shares with the plain protocol, and fails as a test wants."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pktd_chain import PktdChain

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.pool.devchain_rules import Rejected
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.pool_messages import BlockInfo
from packetcrypt.protocol.validation import AnnouncementCheck, check_announcement

USER, PASSWORD = "pool", "open sesame"

REJECTED_CODE = -1


@dataclass(frozen=True)
class Fault:
    """What is answered instead of a call's result.

    delay : seconds before it is answered, also rightly; math.inf for never
    error : a JSON-RPC error: code and message
    body  : something else, with `status`
    drops : the connection is closed without an answer
    """

    delay: float = 0.0
    error: tuple[int, str] | None = None
    body: bytes | None = None
    status: int = 200
    drops: bool = False


class PktdStandIn:
    """Answers the calls of spec 2 "pktd JSON-RPC".

    url    : where it listens
    chain  : what its answers are about
    calls  : every call so far: method and parameters
    faults : by method; `once` by method too, taken out when it was used
    opened : while cleared, calls wait
    arrived: notified at every call
    """

    def __init__(self, chain: PktdChain | None = None) -> None:
        self.url = ""
        self.chain = chain or PktdChain()
        self.calls: list[tuple[str, list[Any]]] = []
        self.faults: dict[str, Fault] = {}
        self.once: dict[str, Fault] = {}
        self.opened = asyncio.Event()
        self.opened.set()
        self.payouts: dict[str, float] = {}
        self._arrived = asyncio.Condition()

    @property
    def settings(self) -> PktdSettings:
        """How it is reached."""
        return PktdSettings(url=self.url, user=USER, password=PASSWORD, timeout=20.0)

    def count(self, method: str) -> int:
        """How often it was asked."""
        return sum(asked == method for asked, _ in self.calls)

    async def asked(self, method: str, times: int = 1) -> None:
        """Waits until it was asked so often."""
        async with self._arrived, asyncio.timeout(30):
            await self._arrived.wait_for(lambda: self.count(method) >= times)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return web.Response(status=401, text="401 Unauthorized.")
        call = json.loads(await request.read())
        method, params = call["method"], call["params"]
        async with self._arrived:
            self.calls.append((method, params))
            self._arrived.notify_all()
        await self.opened.wait()
        fault = self.once.pop(method, None) or self.faults.get(method, Fault())
        await asyncio.sleep(fault.delay)
        if fault.drops:
            assert request.transport is not None
            request.transport.abort()
        if fault.body is not None:
            return web.Response(status=fault.status, body=fault.body)
        if fault.error is not None:
            return _error(call["id"], *fault.error)
        try:
            return _answer(call["id"], result=self._result(method, params))
        except Rejected as rejected:
            if method == "submitblock":
                return _answer(call["id"], result=str(rejected))
            return _error(call["id"], REJECTED_CODE, str(rejected))
        except DecodeError as error:
            return _error(call["id"], -22, str(error))

    def _result(self, method: str, params: list[Any]) -> object:
        chain = self.chain
        match method, params:
            case "getbestblockhash", []:
                return chain.tip.hash[::-1].hex()
            case "getblockheader", [block_hash, True]:
                return _header(self._block(block_hash))
            case "getblock", [block_hash]:
                return {**_header(self._block(block_hash)), "tx": []}
            case "getrawblocktemplate", []:
                template = chain.template()
                return {
                    "height": template.height,
                    "header": template.header.encode().hex(),
                    "coinbase_no_witness": template.coinbase_no_witness.hex(),
                    "merklebranch": [sibling.hex() for sibling in template.merkle_branch],
                    "transactions": [one.hex() for one in template.transactions],
                }
            case "checkpcshare", [share]:
                return chain.check_share(share)
            case "submitblock", [block]:
                chain.submit_block(bytes.fromhex(block))
                return None
            case "configureminingpayouts", [payouts]:
                self.payouts = payouts
                return None
            case "checkpcann", [announcement, _, parent_hash]:
                checked = check_announcement(
                    bytes.fromhex(announcement), bytes.fromhex(parent_hash)[::-1]
                )
                if checked.result is not AnnouncementCheck.OK or checked.work_hash is None:
                    raise Rejected(f"Validate_checkAnn_{checked.result.name}")
                return {"workhash": checked.work_hash[::-1].hex()}
        raise Rejected(f"no call {method} with {len(params)} parameters")

    def _block(self, hash_hex: str) -> BlockInfo:
        for block in self.chain.blocks:
            if block.hash[::-1].hex() == hash_hex:
                return block
        raise Rejected("Block not found")

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post("/", self._handle)
        return application


@asynccontextmanager
async def pktd_stand_in(
    chain: PktdChain | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[PktdStandIn]:
    """A stand-in that listens on loopback, with TLS if it is given a server's context."""
    pktd = PktdStandIn(chain)
    runner = web.AppRunner(pktd.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        pktd.url = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
        yield pktd
    finally:
        await runner.cleanup()


def _header(block: BlockInfo) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(block.encode())["header"]
    return {**header, "confirmations": 1}


def _answer(call_id: int, *, result: object = None, error: object = None) -> web.Response:
    return web.json_response({"result": result, "error": error, "id": call_id})


def _error(call_id: int, code: int, message: str) -> web.Response:
    return _answer(call_id, error={"code": code, "message": message})
