"""A master with its page on loopback; its paymaker and handlers say what a test wants."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from handler_master import served
from paymaker_setup import ALICE, BOB, CAROL, FEE, POOL
from pktd_stand_in import PktdStandIn, pktd_stand_in

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool.master import Master, running_master
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.paymaker_clock import milliseconds_now

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "</bdi></td><h1>mine</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202egnp.exe\u202c\u200b",
    "\ud800 lone",
    "&lt;b&gt;&amp;amp;",
    "line\r\nend\u2028\x00",
    "W" * 63,
    "x" * 5000,
)

Json = dict[str, Any]


def who_to_pay(at: int, **changes: object) -> Json:
    """What our paymaker says of a pool with three miners."""
    return {
        "warn": [],
        "error": [],
        "totalKbps": 28_560.0,
        "blocksPerHour": 58.4,
        "winsPerHour": 4.25,
        "totalEncryptionsPerSecond": 3.467e6,
        "blkPayoutWarmupPeriod": 11_100.0,
        "annPayoutWarmupPeriod": 750.0,
        "generatedAt": at,
        "latestPayout": at - 61_000,
        "lastWonBlock": "ab" * 32,
        "lastWonBlockTime": at - 900_000,
        "annMinerStats": {
            BOB: announcing(at - 20_000, kbps=20_060.0, warmupPercent=100.0),
            CAROL: announcing(at - 45_000, kbps=8_500.0, warmupPercent=42.5),
        },
        "blkMinerStats": {ALICE: mining(at - 30_000), BOB: mining(at - 75_000)},
        "result": {BOB: 0.43, ALICE: 0.3, CAROL: 0.1, POOL: 0.15, FEE: 0.02},
        "poolFee": 0.02,
        "poolFeeAddress": FEE,
        "defaultAddress": POOL,
        "blockMiners": 2,
        "annMiners": 2,
        "windows": {},
        "why": {
            ALICE: why(blocks=(0.61, 0.3)),
            BOB: why(blocks=(0.2, 0.1), announcements=(0.0421, 0.33)),
            CAROL: why(announcements=(0.0128, 0.1)),
        },
        **changes,
    }


def announcing(last_seen: int, **changes: object) -> Json:
    """One of `annMinerStats`."""
    rates = {"kbps": 1000.0, "warmupPercent": 100.0, "currentEncryptionsPerSecond": 1.2e6}
    return {**rates, "lastSeen": last_seen, "credits": 0.0421, **changes}


def mining(last_seen: int) -> Json:
    """One of `blkMinerStats`."""
    return {"currentEncryptionsPerSecond": 9.1e5, "lastSeen": last_seen, "credits": 0.61}


def why(
    blocks: tuple[float, float] = (0.0, 0.0),
    announcements: tuple[float, float] = (0.0, 0.0),
    payable: bool = True,
) -> Json:
    """One of `why`: credits and share of both sides."""
    names = ("credits", "share")
    return {
        "payable": payable,
        "blocks": dict(zip(names, blocks, strict=True)),
        "announcements": dict(zip(names, announcements, strict=True)),
    }


def listed(
    height: int | None, time: int, finder: str | None = None, *, displaced: bool = False
) -> Json:
    """One of the paymaker's `blocks`."""
    block_hash = "0" * 10 + f"{(height or 0) * 0x9E3779B97F4A7C15:054x}"[-54:]
    return {
        "height": height,
        "hash": block_hash,
        "time": time,
        "finder": finder,
        "eventId": block_hash[:32],
        "won": finder is not None,
        "displaced": displaced,
    }


def healthy(**problems: str) -> tuple[int, Json]:
    """Status and body of a handler's health; problems by check."""
    checks = {name: {"ok": False, "detail": detail} for name, detail in problems.items()}
    return 200, {
        "service": "ah",
        "name": "",
        "status": "degraded" if problems else "ok",
        "version": "0.1.0",
        "uptime": 3.5,
        "checks": {"master": {"ok": True, "detail": "it answers"}, **checks},
    }


class PoolPeers:
    """A paymaker and handlers.

    who_to_pay : None: the paymaker hangs up
    earlier    : answers to ?maxtime=, by a function of the time; None: as now
    blocks     : None: 404, as an existing paymaker says
    health     : status and JSON, or text that is none, by handler; None: it hangs up
    asked      : every path so far
    """

    def __init__(self) -> None:
        self.url = ""
        self.who_to_pay: Json | None = who_to_pay(milliseconds_now())
        self.rates_of: Any = None
        self.blocks: list[Json] | None = []
        self.health: dict[str, tuple[int, Json | str] | None] = {
            "ah0": healthy(),
            "bh0": healthy(),
        }
        self.asked: list[str] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/paymaker/whotopay", self._who_to_pay)
        application.router.add_get("/paymaker/blocks", self._blocks)
        application.router.add_get("/{name}/health", self._health)
        return application

    async def _who_to_pay(self, request: web.Request) -> web.Response:
        self.asked.append(str(request.rel_url))
        if self.who_to_pay is None:
            return _hang_up(request)
        answer = self.who_to_pay
        if self.rates_of is not None:
            at = int(request.query.get("maxtime", answer["generatedAt"]))
            kbps, encryptions = self.rates_of(at)
            answer = {**answer, "totalKbps": kbps, "totalEncryptionsPerSecond": encryptions}
        return web.json_response(answer)

    async def _blocks(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.who_to_pay is None:
            return _hang_up(request)
        if self.blocks is None:
            return web.json_response({"error": ["not found"]}, status=404)
        return web.json_response({"blocks": self.blocks})

    async def _health(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        answer = self.health.get(request.match_info["name"])
        if answer is None:
            return _hang_up(request)
        status, content = answer
        body = content if isinstance(content, str) else json.dumps(content)
        return web.Response(status=status, text=body)


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def pool_peers() -> AsyncIterator[PoolPeers]:
    """They listen on loopback."""
    peers = PoolPeers()
    async with served(peers.application()) as peers.url:
        yield peers


def page_settings(
    node: PktdStandIn, peers: PoolPeers, folder: Path, **changes: object
) -> MasterSettings:
    """Settings of a master whose handlers and paymaker are the peers."""
    settings = MasterSettings(
        pool=PoolSettings(
            master_url="http://pool.example/master",
            root_workdir=folder,
            paymaker_http_password="word",
        ),
        pktd=node.settings,
        ann_handlers=(f"{peers.url}/ah0",),
        block_handlers=(f"{peers.url}/bh0/",),
        paymaker_url=f"{peers.url}/paymaker",
        bind="127.0.0.1:0",
        poll_interval=0.02,
        pool_name="A pool",
    )
    return replace(settings, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class PagedPool:
    """A running master with its page, and who asks it."""

    node: PktdStandIn
    peers: PoolPeers
    master: Master
    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of a page."""
        async with self.session.get(self.url + path, **options) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def paged_pool(folder: Path, peers: PoolPeers, **changes: object) -> AsyncIterator[PagedPool]:
    """A pool whose master looks at its peers twenty times as often as a real one."""
    async with pktd_stand_in() as node:
        settings = page_settings(node, peers, folder, **changes)
        async with running_master(settings) as master, aiohttp.ClientSession() as session:
            yield PagedPool(node, peers, master, session, f"http://127.0.0.1:{master.port}")
