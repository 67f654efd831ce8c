"""What a share's fate is, depending on what the block handler answers over real HTTP."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from packetcrypt.client.submit_share import ShareFate, ShareOutcome, post_share
from packetcrypt.protocol.share_messages import SharePost, ShareReply, ShareResult

SHARE = SharePost(bytes(range(48)), bytes(5000))
RESULT = ShareResult(
    pay_to="pkt1q",
    block=False,
    time=1,
    event_id="00" * 16,
    target=0x207FFFFF,
    ann_count=180,
    ann_target=0x200FFFF8,
    encryptions=10,
)


class Handler:
    """A block handler whose answer a test decides; keeps what it received."""

    def __init__(self, body: bytes, status: int = 200, delay: float = 0) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._body, self._status, self._delay = body, status, delay

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((await request.text(), dict(request.headers)))
        await asyncio.sleep(self._delay)
        return web.Response(body=self._body, status=self._status)

    async def post(self, timeout_s: float = 30) -> ShareOutcome:
        application = web.Application()
        application.router.add_post("/submit", self.answer)
        async with TestServer(application) as server, aiohttp.ClientSession() as session:
            url = str(server.make_url("/submit"))
            return await post_share(session, url, "pkt1q", SHARE, timeout_s)


def error(text: str) -> bytes:
    return ShareReply(None, errors=(text,)).encode()


async def test_the_post_on_the_wire() -> None:
    handler = Handler(ShareReply(RESULT).encode())
    assert await handler.post() == ShareOutcome(ShareFate.ACCEPTED)
    [(body, headers)] = handler.requests
    assert json.loads(body) == {
        "coinbase_commit": bytes(range(48)).hex(),
        "header_and_proof": "00" * 5000,
    }
    assert (headers["x-pc-payto"], headers["x-pc-sver"]) == ("pkt1q", "1")


async def test_a_block() -> None:
    result = ShareResult(**{**RESULT.__dict__, "block": True, "header_hash": bytes(32)})
    outcome = await Handler(ShareReply(result).encode()).post()
    assert outcome == ShareOutcome(ShareFate.ACCEPTED, is_block=True)


async def test_a_warning_is_told_with_an_accepted_share() -> None:
    outcome = await Handler(ShareReply(RESULT, warnings=("not an address",)).encode()).post()
    assert outcome.fate is ShareFate.ACCEPTED
    assert outcome.complaint is not None
    assert outcome.complaint.endswith("warns: not an address")


@pytest.mark.parametrize("status", [200, 400, 409])
async def test_an_error_rejects(status: int) -> None:
    outcome = await Handler(error("Share is for wrong work"), status).post()
    assert outcome.fate is ShareFate.REJECTED
    assert outcome.complaint is not None
    assert outcome.complaint.endswith(f"answered {status}: Share is for wrong work")


@pytest.mark.parametrize("status", [500, 501, 503])
async def test_an_overloaded_handler_is_worth_another_try(status: int) -> None:
    assert (await Handler(error("overloaded"), status).post()).fate is ShareFate.FAILED


@pytest.mark.parametrize("status", [200, 302, 400, 404, 502])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"result": 1}', b"\xff"])
async def test_nonsense_fails(body: bytes, status: int) -> None:
    outcome = await Handler(body, status).post()
    assert outcome.fate is ShareFate.FAILED
    assert outcome.complaint is not None
    assert "nothing that a block handler says" in outcome.complaint


async def test_silence_fails() -> None:
    outcome = await Handler(b"", delay=5).post(timeout_s=0.05)
    assert outcome.fate is ShareFate.FAILED
