"""Work, block templates and the long poll, as the client of a master sees them."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from block_setup import WorkMaster, work_master
from handler_master import served
from pktd_chain import HEIGHT, PktdChain

from packetcrypt.client import master as master_module
from packetcrypt.client.http import HttpLimits, PoolNonsense, PoolNotReady, PoolUnreachable
from packetcrypt.client.master import MasterClient


@pytest.fixture
def chain() -> PktdChain:
    return PktdChain()


@pytest.fixture
async def master(chain: PktdChain) -> AsyncIterator[WorkMaster]:
    async with work_master(chain) as master:
        yield master


@pytest.fixture
async def client(master: WorkMaster) -> AsyncIterator[MasterClient]:
    async with aiohttp.ClientSession() as session:
        yield MasterClient(session, master.config.master_url)


async def test_work_and_template(client: MasterClient, chain: PktdChain) -> None:
    assert await client.work(HEIGHT) == chain.work()
    assert await client.block_template(HEIGHT) == chain.template()


async def test_a_height_that_there_is_not(client: MasterClient) -> None:
    with pytest.raises(PoolNonsense, match=r"/work_7\.bin answered 404: the master does not have"):
        await client.work(7)
    with pytest.raises(PoolNonsense, match=r"/bt_7\.bin answered 404: the master does not have"):
        await client.block_template(7)


async def test_a_height_that_comes_next_is_waited_for(
    client: MasterClient, master: WorkMaster, chain: PktdChain
) -> None:
    waiting = asyncio.create_task(client.wait_for_work(HEIGHT + 1))
    await master.long_polled()
    chain.add_made_up_block()
    await master.publish(chain)

    assert await waiting == chain.work()


async def test_a_wait_that_was_too_short(client: MasterClient, master: WorkMaster) -> None:
    master.held = 0.01

    assert await client.wait_for_work(HEIGHT + 1) is None
    with pytest.raises(PoolNotReady, match="this height is still to come"):
        await client.work(HEIGHT + 1)


async def test_the_wait_may_be_longer_than_other_requests(
    master: WorkMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_module, "LONG_POLL_SECONDS", 20.0)
    master.held = 0.3
    async with aiohttp.ClientSession() as session:
        client = MasterClient(session, master.config.master_url, HttpLimits(1 << 20, 0.1))
        assert await client.wait_for_work(HEIGHT + 1) is None


async def test_the_wait_ends(master: WorkMaster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_module, "LONG_POLL_SECONDS", 0.1)
    async with aiohttp.ClientSession() as session:
        client = MasterClient(session, master.config.master_url, HttpLimits(1 << 20, 0.1))
        with pytest.raises(PoolUnreachable, match=r"not answered within 0\.2 s"):
            await client.wait_for_work(HEIGHT + 1)


async def test_work_of_another_height(client: MasterClient, master: WorkMaster) -> None:
    master.works[HEIGHT - 1] = master.works[HEIGHT]
    with pytest.raises(PoolNonsense, match=f"answered what belongs to height {HEIGHT}"):
        await client.work(HEIGHT - 1)


@pytest.mark.parametrize("call", [MasterClient.work, MasterClient.block_template])
async def test_what_is_no_work(call: object) -> None:
    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(body=b"nonsense", content_type="application/octet-stream")

    application = web.Application()
    application.router.add_get("/{name}", nonsense)
    async with served(application) as url, aiohttp.ClientSession() as session:
        client = MasterClient(session, url)
        with pytest.raises(PoolNonsense, match="answered something else: "):
            await call(client, 7)  # type: ignore[operator]


@pytest.mark.parametrize("status", [500, 503])
async def test_5xx_is_not_ready(status: int) -> None:
    async def not_ready(_: web.Request) -> web.Response:
        return web.Response(status=status)

    application = web.Application()
    application.router.add_get("/{name}", not_ready)
    async with served(application) as url, aiohttp.ClientSession() as session:
        with pytest.raises(PoolNotReady, match=f"GET /work_7.bin answered {status}"):
            await MasterClient(session, url).wait_for_work(7)
