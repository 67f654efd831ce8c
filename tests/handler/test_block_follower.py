"""How a block handler learns what is mined, and what it does with a master that is no help."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from block_setup import WorkMaster, block_handler_settings, work_master
from pktd_chain import HEIGHT, PktdChain

from packetcrypt.client.http import HttpLimits
from packetcrypt.client.master import MasterClient
from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_follower import BlockFollower
from packetcrypt.handler.block_state import BlockState


@pytest.fixture
def chain() -> PktdChain:
    return PktdChain()


@pytest.fixture
async def master(chain: PktdChain) -> AsyncIterator[WorkMaster]:
    async with work_master(chain) as master:
        yield master


@pytest.fixture
async def follower(master: WorkMaster, tmp_path: Path) -> AsyncIterator[BlockFollower]:
    url = master.config.master_url
    pktd = PktdSettings(user="u", password="p")
    async with aiohttp.ClientSession() as session:
        client = MasterClient(session, url, HttpLimits(1 << 20, 5.0))
        yield BlockFollower(client, block_handler_settings(tmp_path, url, pktd))


async def test_work_and_template_are_fetched(follower: BlockFollower, chain: PktdChain) -> None:
    await follower.poll()

    assert follower.state == BlockState(chain.work(), chain.template())


async def test_the_paymaker_is_known(follower: BlockFollower, master: WorkMaster) -> None:
    master.config = replace(master.config, paymaker_url="http://pay.example")
    await follower.poll()

    assert follower.paymaker_url == "http://pay.example"


async def test_a_new_block_is_new_work(
    follower: BlockFollower, master: WorkMaster, chain: PktdChain
) -> None:
    await follower.poll()
    chain.add_made_up_block()
    await master.publish(chain)
    await follower.poll()

    assert follower.state is not None
    assert follower.state.work == chain.work()
    assert follower.state.work.height == HEIGHT + 1


async def test_a_replaced_block_is_new_work_of_the_same_height(
    follower: BlockFollower, master: WorkMaster, chain: PktdChain
) -> None:
    await follower.poll()
    chain.add_made_up_block(HEIGHT - 1)
    await master.publish(chain)
    await follower.poll()

    assert follower.state is not None
    assert (follower.state.work, follower.state.work.height) == (chain.work(), HEIGHT)


async def test_the_same_work_is_not_fetched_again(
    follower: BlockFollower, master: WorkMaster
) -> None:
    await follower.poll()
    state = follower.state
    master.works.clear()
    master.templates.clear()
    await follower.poll()

    assert follower.state is state


@pytest.mark.parametrize("lost", ["works", "templates"])
async def test_without_work_or_template_the_last_state_stays(
    follower: BlockFollower,
    master: WorkMaster,
    chain: PktdChain,
    lost: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await follower.poll()
    state = follower.state
    chain.add_made_up_block()
    await master.publish(chain)
    getattr(master, lost).clear()
    await follower.poll()

    assert follower.state is state
    assert f"_{HEIGHT + 1}.bin answered 404" in caplog.text


async def test_a_template_of_another_block_is_refused(
    follower: BlockFollower, master: WorkMaster, caplog: pytest.LogCaptureFixture
) -> None:
    template = master.templates[HEIGHT]
    header = replace(template.header, previous_hash=bytes(32))
    master.templates[HEIGHT] = replace(template, header=header)
    await follower.poll()

    assert follower.state is None
    assert "no block can be made of what the master" in caplog.text
    assert "work and block template are of different blocks" in caplog.text


async def test_a_master_that_is_not_ready(
    follower: BlockFollower, master: WorkMaster, caplog: pytest.LogCaptureFixture
) -> None:
    master.is_ready = False
    await follower.poll()
    assert follower.state is None
    assert "is not ready: GET /config.json answered 500" in caplog.text

    master.is_ready = True
    await follower.poll()
    assert follower.state is not None
    assert "the master answers again" in caplog.text


async def test_a_handler_that_is_not_listed_says_so_and_works(
    follower: BlockFollower, master: WorkMaster, caplog: pytest.LogCaptureFixture
) -> None:
    master.config = replace(master.config, submit_block_urls=("http://other.example/submit",))
    await follower.poll()

    assert follower.state is not None
    assert "its submitBlockUrls must contain http://pool.example/bh0/submit" in caplog.text
    assert "but are http://other.example/submit" in caplog.text


async def test_new_work_is_there_as_soon_as_it_is_published(
    follower: BlockFollower, master: WorkMaster, chain: PktdChain
) -> None:
    await follower.poll()
    waiting = asyncio.create_task(follower.wait_for_next())
    await master.long_polled()
    chain.add_made_up_block()
    await master.publish(chain)
    await waiting

    assert follower.state is not None
    assert follower.state.work == chain.work()


async def test_a_long_poll_without_a_block(
    follower: BlockFollower, master: WorkMaster, caplog: pytest.LogCaptureFixture
) -> None:
    await follower.poll()
    state = follower.state
    master.held = 0.01
    await follower.wait_for_next()

    assert follower.state is state
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


async def test_without_work_nothing_is_waited_for(
    follower: BlockFollower, master: WorkMaster
) -> None:
    await follower.wait_for_next()

    assert follower.state is None
