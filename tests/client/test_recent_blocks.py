"""Walking back from a pool's tip, over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler
from static_pool import StaticPool, made_up_chain

from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.client.recent_blocks import recent_blocks
from packetcrypt.protocol.pool_messages import TRACKED_PARENTS


class CountingPool:
    """A static pool that counts how often blkinfo was asked for."""

    def __init__(self) -> None:
        self.pool = StaticPool(made_up_chain("one"), ann_target=0x207FFFFF, submit_ann_urls=[])
        self.asked = 0

    def application(self) -> web.Application:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked += request.path.startswith("/blkinfo")
            return await handler(request)

        application = self.pool.application()
        application.middlewares.append(count)
        return application


@pytest.fixture
def counting() -> CountingPool:
    return CountingPool()


@pytest.fixture
async def master(counting: CountingPool) -> AsyncIterator[MasterClient]:
    async with TestServer(counting.application()) as server, aiohttp.ClientSession() as session:
        yield MasterClient(session, str(server.make_url("")))


async def test_six_blocks_newest_first(master: MasterClient) -> None:
    recent = await recent_blocks(master, await master.config())
    chain = made_up_chain("one")
    assert recent.problem is None
    assert recent.blocks == tuple(reversed(chain[-TRACKED_PARENTS:]))


async def test_known_blocks_are_not_asked_for_again(
    master: MasterClient, counting: CountingPool
) -> None:
    first = await recent_blocks(master, await master.config())
    again = await recent_blocks(master, await master.config(), first.blocks)
    assert again == first
    assert counting.asked == TRACKED_PARENTS


async def test_a_rollback_is_followed(master: MasterClient, counting: CountingPool) -> None:
    before = await recent_blocks(master, await master.config())
    counting.pool.set_chain(made_up_chain("another"))
    after = await recent_blocks(master, await master.config(), before.blocks)
    assert after.blocks == tuple(reversed(made_up_chain("another")[-TRACKED_PARENTS:]))


async def test_what_came_before_a_problem_is_kept(
    master: MasterClient, counting: CountingPool
) -> None:
    counting.pool.set_chain(made_up_chain("one")[-2:])
    recent = await recent_blocks(master, await master.config())
    assert recent.blocks == tuple(reversed(made_up_chain("one")[-2:]))
    assert isinstance(recent.problem, PoolNonsense)
    assert "404" in str(recent.problem)


async def test_a_wrong_height_is_nonsense(master: MasterClient) -> None:
    config = await master.config()
    lower = replace(config, current_height=config.current_height - 1)
    recent = await recent_blocks(master, lower)
    assert recent.blocks == ()
    assert "has height 200000, but" in str(recent.problem)
