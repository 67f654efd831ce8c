"""What is said when a JSON-RPC call fails: which call, where, why, and what to do."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in
from pool_processes import free_port
from tls_certificates import self_signed

from packetcrypt.client.json_rpc import (
    RpcBusy,
    RpcError,
    RpcMisconfigured,
    RpcRefused,
    RpcUnanswered,
    RpcUnreachable,
)
from packetcrypt.client.pktd import PktdSettings, pktd_client


@pytest.fixture
async def pktd() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as pktd:
        yield pktd


async def _failure(settings: PktdSettings) -> RpcError:
    with pytest.raises(RpcError) as raised:
        async with pktd_client(settings) as client:
            await client.best_block_hash()
    return raised.value


def _says(error: RpcError, settings: PktdSettings, *texts: str) -> None:
    assert str(error).startswith(f"pktd at {settings.url} did not answer getbestblockhash: ")
    for text in texts:
        assert text in str(error)


async def test_nobody_listens() -> None:
    settings = PktdSettings(url=f"http://127.0.0.1:{free_port()}", user="u", password="p")
    error = await _failure(settings)
    assert type(error) is RpcUnreachable
    _says(
        error,
        settings,
        "no connection (Connection refused)",
        "Start pktd, or correct url in [pktd].",
    )


async def test_a_host_that_is_none() -> None:
    settings = PktdSettings(url="http://pktd.invalid:64765", user="u", password="p")
    error = await _failure(settings)
    assert type(error) is RpcUnreachable
    _says(error, settings, "correct url in [pktd]")


async def test_no_answer_in_time(pktd: PktdStandIn) -> None:
    settings = replace(pktd.settings, timeout=0.2)
    pktd.opened.clear()
    error = await _failure(settings)
    assert type(error) is RpcUnanswered
    _says(error, settings, "longer than 0.2 s", "raise timeout in [pktd]")


async def test_an_answer_that_is_cut_off(pktd: PktdStandIn) -> None:
    pktd.faults["getbestblockhash"] = Fault(drops=True)
    error = await _failure(pktd.settings)
    assert type(error) is RpcUnanswered
    _says(error, pktd.settings, "the connection broke", "Look at the log of pktd")


@pytest.mark.parametrize("change", [{"user": "x"}, {"password": "x"}])
async def test_another_password(pktd: PktdStandIn, change: dict[str, Any]) -> None:
    settings = replace(pktd.settings, **change)
    error = await _failure(settings)
    assert type(error) is RpcMisconfigured
    _says(error, settings, "it answered 401", "equal to rpcuser and rpcpass of pktd")


async def test_the_password_is_not_in_messages_or_settings(pktd: PktdStandIn) -> None:
    settings = replace(pktd.settings, password="hush hush")
    assert "hush" not in str(await _failure(settings)) + repr(settings)


async def test_a_node_that_takes_no_more_calls(pktd: PktdStandIn) -> None:
    pktd.faults["getbestblockhash"] = Fault(status=503, body=b"503 Too busy.  Try again later.")
    error = await _failure(pktd.settings)
    assert type(error) is RpcBusy
    _says(error, pktd.settings, "it answered 503", "rpcmaxclients")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"",
        b"[]",
        b"{}",
        b'{"result": 1, "error": null, "id": "one"}',
        b'{"result": 1, "error": null, "id": 99}',
        b'{"error": null, "id": 1}',
        b'{"result": null, "error": "no", "id": 1}',
        b'{"result": NaN, "error": null, "id": 1}',
    ],
)
async def test_what_is_no_json_rpc(pktd: PktdStandIn, body: bytes) -> None:
    pktd.faults["getbestblockhash"] = Fault(body=body)
    error = await _failure(pktd.settings)
    assert type(error) is RpcMisconfigured
    _says(error, pktd.settings, "which is no JSON-RPC", "Check url in [pktd]")


async def test_plain_http_at_a_port_with_tls(pktd: PktdStandIn) -> None:
    body = b"Client sent an HTTP request to an HTTPS server.\n"
    pktd.faults["getbestblockhash"] = Fault(status=400, body=body)
    _says(await _failure(pktd.settings), pktd.settings, "give it with https://")


async def test_an_error_of_the_server_itself(pktd: PktdStandIn) -> None:
    pktd.faults["getbestblockhash"] = Fault(error=(-28, "Loading the chain"))
    error = await _failure(pktd.settings)
    assert isinstance(error, RpcRefused)
    assert (error.code, error.reason) == (-28, "Loading the chain")
    _says(error, pktd.settings, "it answered error -28: Loading the chain")


async def test_an_error_without_a_code(pktd: PktdStandIn) -> None:
    answer = {"result": None, "error": {"message": "unexpected EOF", "stack": []}, "id": 1}
    pktd.faults["getbestblockhash"] = Fault(body=json.dumps(answer).encode())
    error = await _failure(pktd.settings)
    assert isinstance(error, RpcRefused)
    assert (error.code, error.reason) == (None, "unexpected EOF")
    _says(error, pktd.settings, "it answered error: unexpected EOF")


async def test_an_error_with_status_500_is_the_servers_own_too(pktd: PktdStandIn) -> None:
    answer = {"result": None, "error": {"code": -5, "message": "no such block"}, "id": 1}
    pktd.faults["getbestblockhash"] = Fault(status=500, body=json.dumps(answer).encode())
    error = await _failure(pktd.settings)
    assert isinstance(error, RpcRefused)
    assert error.code == -5


async def test_calls_at_the_same_time_get_their_own_answers(pktd: PktdStandIn) -> None:
    async with pktd_client(pktd.settings) as client:
        pktd.once["getbestblockhash"] = Fault(delay=0.1)
        first, header = await asyncio.gather(
            client.best_block_hash(), client.block_header(pktd.chain.tip.hash)
        )
    assert first == header.hash == pktd.chain.tip.hash


async def test_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    certificate, context = self_signed(tmp_path)
    async with pktd_stand_in(tls=context) as pktd:
        settings = replace(pktd.settings, tls_certificate=certificate)
        async with pktd_client(settings) as client:
            assert await client.best_block_hash() == pktd.chain.tip.hash


async def test_any_certificate_if_nobody_looks(tmp_path: Path) -> None:
    _, context = self_signed(tmp_path)
    async with (
        pktd_stand_in(tls=context) as pktd,
        pktd_client(replace(pktd.settings, tls_verify=False)) as client,
    ):
        assert await client.best_block_hash() == pktd.chain.tip.hash


@pytest.mark.parametrize("given", [None, "another", "of another host"])
async def test_a_certificate_that_is_not_trusted(tmp_path: Path, given: str | None) -> None:
    certificate, context = self_signed(tmp_path / "own")
    if given == "another":
        certificate, _ = self_signed(tmp_path / "another")
    elif given == "of another host":
        certificate, context = self_signed(tmp_path / "host", "192.0.2.1")
    async with pktd_stand_in(tls=context) as pktd:
        trusted = None if given is None else certificate
        settings = replace(pktd.settings, tls_certificate=trusted)
        error = await _failure(settings)
    assert type(error) is RpcMisconfigured
    _says(error, settings, "its TLS certificate is not trusted", "as tls_certificate in [pktd]")
    assert pktd.calls == []


async def test_tls_at_a_port_without(pktd: PktdStandIn) -> None:
    settings = replace(pktd.settings, url=pktd.url.replace("http:", "https:"))
    error = await _failure(settings)
    assert type(error) is RpcMisconfigured
    _says(error, settings, "it does not speak TLS there", "with http://")


async def test_an_endless_answer_is_not_read_to_its_end(
    pktd: PktdStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.client.json_rpc.ANSWER_LIMIT", 100)
    pktd.faults["getbestblockhash"] = Fault(body=b" " * 101)
    error = await _failure(pktd.settings)
    assert type(error) is RpcMisconfigured
    _says(error, pktd.settings, "more than 100 bytes")


async def test_a_call_that_is_given_up_is_not_waited_for(pktd: PktdStandIn) -> None:
    pktd.faults["getbestblockhash"] = Fault(delay=math.inf)
    async with pktd_client(pktd.settings) as client:
        call = asyncio.create_task(client.best_block_hash())
        await pktd.asked("getbestblockhash")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
