"""What the client of a master makes of a master's answers."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from scripted_pool import ScriptedPool

from packetcrypt.client.http import PoolNonsense, PoolNotReady, PoolUnreachable
from packetcrypt.client.master import MasterClient
from packetcrypt.protocol.errors import ConfigError


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool() as pool:
        yield pool


@pytest.fixture
async def master(pool: ScriptedPool) -> AsyncIterator[MasterClient]:
    async with aiohttp.ClientSession() as session:
        yield MasterClient(session, pool.url + "/")


async def test_config_is_decoded(pool: ScriptedPool, master: MasterClient) -> None:
    assert await master.config() == pool.config()


async def test_block_information_is_decoded(pool: ScriptedPool, master: MasterClient) -> None:
    block = pool.chain[3]
    assert await master.blkinfo(block.hash[::-1].hex()) == block


async def test_a_random_session_number_is_sent(pool: ScriptedPool, master: MasterClient) -> None:
    await master.config()
    await master.blkinfo(pool.chain[-1].hash[::-1].hex())
    first, second = (request.headers["x-pc-sid"] for request in pool.requests)
    assert first == second
    assert len(bytes.fromhex(first)) == 16


@pytest.mark.parametrize("field", ["blkinfo_url", "master_url"])
async def test_block_information_comes_from_where_the_configuration_says(
    pool: ScriptedPool, master: MasterClient, field: str
) -> None:
    async with ScriptedPool() as elsewhere:
        pool.config_edit = lambda config: replace(config, **{field: elsewhere.url + "/"})
        await master.config()
        await master.blkinfo(pool.chain[-1].hash[::-1].hex())
    assert len(elsewhere.blkinfo_requests()) == 1
    assert pool.blkinfo_requests() == []


async def test_a_404_says_that_this_is_no_pool(pool: ScriptedPool, master: MasterClient) -> None:
    pool.master_answer = lambda _: web.Response(status=404)
    with pytest.raises(PoolNonsense) as refused:
        await master.config()
    assert str(refused.value) == (
        f"{pool.url}/ is not a PacketCrypt pool: GET /config.json answered 404.\n"
        "Give the pool's master URL, e.g. http://pool.example/master"
    )


async def test_a_web_page_says_that_this_is_no_pool(
    pool: ScriptedPool, master: MasterClient
) -> None:
    pool.master_answer = lambda _: web.Response(text="<html>", content_type="text/html")
    with pytest.raises(PoolNonsense, match=r"GET /config\.json answered a web page"):
        await master.config()


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_5xx_is_not_ready(pool: ScriptedPool, master: MasterClient, status: int) -> None:
    pool.master_answer = lambda _: web.Response(status=status, text="<html>")
    with pytest.raises(PoolNotReady, match=f"GET /config.json answered {status}"):
        await master.config()


@pytest.mark.parametrize("body", ["", "not json", "[]", "{}", '{"version": 3}'])
async def test_another_answer_names_the_pool_and_the_reason(
    pool: ScriptedPool, master: MasterClient, body: str
) -> None:
    pool.master_answer = lambda _: web.Response(text=body, content_type="application/json")
    with pytest.raises(PoolNonsense, match=f"{pool.url} is not a PacketCrypt pool .* config.json:"):
        await master.config()


async def test_a_wrong_type_is_named(pool: ScriptedPool, master: MasterClient) -> None:
    fields = json.loads(pool.config().encode()) | {"annTarget": "easy"}
    pool.master_answer = lambda _: web.json_response(fields)
    with pytest.raises(PoolNonsense, match='field "annTarget" must be an integer'):
        await master.config()


async def test_block_information_of_another_block_is_refused(
    pool: ScriptedPool, master: MasterClient
) -> None:
    pool.master_answer = lambda _: web.Response(body=pool.chain[0].encode())
    with pytest.raises(PoolNonsense, match="answered another block"):
        await master.blkinfo(pool.chain[1].hash[::-1].hex())


async def test_broken_block_information_is_refused(
    pool: ScriptedPool, master: MasterClient
) -> None:
    pool.master_answer = lambda _: web.json_response({"header": {}})
    with pytest.raises(PoolNonsense, match=r'no block information: .* "hash" is missing'):
        await master.blkinfo("00" * 32)


async def test_a_dead_master_is_unreachable(pool: ScriptedPool, master: MasterClient) -> None:
    await pool.stop()
    with pytest.raises(PoolUnreachable):
        await master.config()


async def test_a_master_needs_a_url() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigError, match="'pool' is not the URL of a service"):
            MasterClient(session, "pool")


@pytest.mark.parametrize("name", ["tipHash", "annTarget"])
async def test_a_master_without_work_is_not_ready(
    pool: ScriptedPool, master: MasterClient, name: str
) -> None:
    fields = json.loads(pool.config().encode()) | {name: None}
    pool.master_answer = lambda _: web.json_response(fields)
    with pytest.raises(PoolNotReady, match=f'is not ready: config.json: field "{name}" is null'):
        await master.config()
