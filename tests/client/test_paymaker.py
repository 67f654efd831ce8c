"""When a pay log counts as taken over, over real HTTP."""

import hashlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from paymaker_stand_in import PASSWORD, PaymakerStandIn, paymaker_stand_in

from packetcrypt.client.http import PoolNonsense, PoolNotReady, PoolUnreachable
from packetcrypt.client.paymaker import PaymakerClient, pay_log_event_id
from packetcrypt.protocol.errors import ConfigError

BODY = b'{"type":"anns","accepted":3}\n{"type":"anns","accepted":1}\n'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def paymaker() -> AsyncIterator[PaymakerStandIn]:
    async with paymaker_stand_in() as paymaker:
        yield paymaker


def test_the_event_id_is_half_a_sha256() -> None:
    assert pay_log_event_id(b"") == "e3b0c44298fc1c149afbf4c8996fb924"
    assert hashlib.sha256(BODY).hexdigest().startswith(pay_log_event_id(BODY))


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_confirmed_upload(
    session: aiohttp.ClientSession, paymaker: PaymakerStandIn, slash: str
) -> None:
    await PaymakerClient(session, paymaker.url + slash, PASSWORD, 10).upload(BODY)

    assert paymaker.bodies == [BODY]


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("other event id", PoolNonsense, "confirmed another pay log"),
        ("nonsense", PoolNonsense, "did not confirm a pay log"),
        ("internal error", PoolNotReady, "it answered 500"),
    ],
)
async def test_what_is_no_confirmation(
    session: aiohttp.ClientSession,
    paymaker: PaymakerStandIn,
    answer: str,
    error: type[Exception],
    message: str,
) -> None:
    paymaker.answer = answer

    with pytest.raises(error, match=message):
        await PaymakerClient(session, paymaker.url, PASSWORD, 10).upload(BODY)


async def test_a_wrong_password_names_the_setting(
    session: aiohttp.ClientSession, paymaker: PaymakerStandIn
) -> None:
    with pytest.raises(PoolNonsense, match="paymaker_http_password") as raised:
        await PaymakerClient(session, paymaker.url, "guess", 10).upload(BODY)

    assert "guess" not in str(raised.value)


async def test_a_password_may_hold_any_character(
    session: aiohttp.ClientSession, paymaker: PaymakerStandIn
) -> None:
    paymaker.password = "grüße:☃"

    await PaymakerClient(session, paymaker.url, "grüße:☃", 10).upload(BODY)

    assert paymaker.bodies == [BODY]


async def test_another_path_is_no_paymaker(
    session: aiohttp.ClientSession, paymaker: PaymakerStandIn
) -> None:
    with pytest.raises(PoolNonsense, match="answered 404"):
        await PaymakerClient(session, f"{paymaker.url}/elsewhere", PASSWORD, 10).upload(BODY)


async def test_a_paymaker_that_does_not_answer_in_time(
    session: aiohttp.ClientSession, paymaker: PaymakerStandIn
) -> None:
    paymaker.answer = "hang"

    with pytest.raises(PoolUnreachable, match=r"within 0\.1 s"):
        await PaymakerClient(session, paymaker.url, PASSWORD, 0.1).upload(BODY)


async def test_nobody_listens(session: aiohttp.ClientSession) -> None:
    with pytest.raises(PoolUnreachable, match="Connection refused"):
        await PaymakerClient(session, "http://127.0.0.1:1", PASSWORD, 10).upload(BODY)


async def test_a_url_that_is_none(session: aiohttp.ClientSession) -> None:
    with pytest.raises(ConfigError, match="not the URL of a service"):
        PaymakerClient(session, "pool.example", PASSWORD, 10)
