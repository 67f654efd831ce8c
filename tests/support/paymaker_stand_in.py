"""A paymaker over real HTTP that remembers what it was sent (its real one comes later)."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from handler_master import served

PASSWORD = "pay me"


class PaymakerStandIn:
    """Answers POST /events as spec 2 says.

    url      : where it listens
    bodies   : every body that was confirmed, in order
    arrived  : set at every upload, confirmed or not
    answer   : what it answers: "confirm", "other event id", "nonsense", "internal error", or that
               it does not: "hang"
    password : the one it asks for
    """

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.arrived = asyncio.Event()
        self.answer = "confirm"
        self.password = PASSWORD

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events confirmed so far."""
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]

    async def events_handler(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.arrived.set()
        wanted = "Basic " + base64.b64encode(f"x:{self.password}".encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return web.Response(status=401)
        match self.answer:
            case "hang":
                await asyncio.Event().wait()
            case "internal error":
                return web.Response(status=500)
            case "nonsense":
                return web.Response(text="<html>hello</html>", content_type="text/html")
            case "other event id":
                return _confirmation("00" * 16)
        self.bodies.append(body)
        return _confirmation(hashlib.sha256(body).hexdigest()[:32])

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post("/events", self.events_handler)
        return application


def _confirmation(event_id: str) -> web.Response:
    return web.json_response({"result": {"eventId": event_id}, "warn": [], "error": []})


@asynccontextmanager
async def paymaker_stand_in() -> AsyncIterator[PaymakerStandIn]:
    """A stand-in that listens on loopback."""
    paymaker = PaymakerStandIn()
    async with served(paymaker.application()) as paymaker.url:
        yield paymaker
