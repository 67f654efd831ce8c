"""Events as handlers log them, and a paymaker that runs in front of a node on loopback."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from paymaker_stand_in import PASSWORD
from pktd_stand_in import PktdStandIn

from packetcrypt.client.http import basic_authorization
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool.paymaker import Paymaker, running_paymaker
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.protocol.address import WitnessProgram, format_address
from packetcrypt.protocol.primitives import h32

ANN_TARGET = 0x2000FFFF
"""256 hashes: at difficulty 1, 65536 announcements are a credit"""
SHARE_TARGET = 0x1E03FFFF
"""2^22 hashes and a few: at difficulty 1, four shares are a credit"""


def address(name: str) -> str:
    """An address that is good in form."""
    return format_address(WitnessProgram(0, h32(name.encode())))


ALICE, BOB, CAROL = (address(name) for name in ("alice", "bob", "carol"))
POOL, ERROR, FEE = (address(name) for name in ("pool", "error", "fee"))

Event = dict[str, Any]


def _event_id(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def anns(pay_to: str, time: int, accepted: int = 100, **changes: object) -> Event:
    """A post of announcements."""
    event = {
        "type": "anns",
        "accepted": accepted,
        "dup": 0,
        "inval": 0,
        "badHash": 0,
        "runt": 0,
        "internalErr": 0,
        "payTo": pay_to,
        "unsigned": 0,
        "totalLen": 0,
        "target": ANN_TARGET,
        "time": time,
    }
    return {**event, "eventId": _event_id("anns", pay_to, time, accepted), **changes}


def share(pay_to: str, time: int, **changes: object) -> Event:
    """A share."""
    event = {
        "type": "share",
        "payTo": pay_to,
        "block": False,
        "time": time,
        "target": SHARE_TARGET,
        "annCount": "1000",
        "annMinWork": ANN_TARGET,
        "encryptions": 4096,
    }
    return {**event, "eventId": _event_id("share", pay_to, time), **changes}


def block(time: int, difficulty: float, **changes: object) -> Event:
    """A new block of the chain."""
    block_hash = hashlib.sha256(repr(time).encode()).hexdigest()
    event = {"type": "block", "hash": block_hash, "height": 7, "difficulty": difficulty}
    return {**event, "time": time, "eventId": block_hash[:32], **changes}


def body(*events: Event) -> bytes:
    """A pay log."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def paymaker_settings(node: PktdStandIn, folder: Path, **changes: object) -> PaymakerSettings:
    """Settings of a paymaker at a port of the system's choice."""
    settings = PaymakerSettings(
        pool=PoolSettings(
            master_url="http://pool.example/master",
            root_workdir=folder,
            paymaker_http_password=PASSWORD,
        ),
        pktd=node.settings,
        default_address=POOL,
        error_address=ERROR,
        bind="127.0.0.1:0",
    )
    return replace(settings, **changes)  # type: ignore[arg-type]


class PaymakerUser:
    """Somebody who asks a paymaker over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, paymaker: Paymaker) -> None:
        self.session = session
        self.paymaker = paymaker
        self.url = f"http://127.0.0.1:{paymaker.port}"

    async def upload(
        self, content: bytes | AsyncIterator[bytes], password: str = PASSWORD
    ) -> tuple[int, Event]:
        """Status and reply of POST /events."""
        headers = {"Authorization": basic_authorization("x", password)}
        async with self.session.post(self.url + "/events", data=content, headers=headers) as reply:
            return reply.status, await reply.json()

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a GET."""
        async with self.session.get(self.url + path) as reply:
            return reply.status, await reply.json()

    async def who_to_pay(self, at: int | None = None) -> Any:
        """GET /whotopay, of a moment, or a millisecond from now, for which no answer is kept."""
        _, answer = await self.get(f"/whotopay?maxtime={at or milliseconds_now() + 1}")
        return answer


@asynccontextmanager
async def paymaker(
    node: PktdStandIn, folder: Path, **changes: object
) -> AsyncIterator[PaymakerUser]:
    """A running paymaker and somebody who asks it."""
    async with (
        running_paymaker(paymaker_settings(node, folder, **changes)) as running,
        aiohttp.ClientSession() as session,
    ):
        yield PaymakerUser(session, running)
