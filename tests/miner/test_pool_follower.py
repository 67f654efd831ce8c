"""Polling one pool: backfill, rollback, trouble and how often it is reported."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp import web
from scripted_pool import ScriptedPool, made_up_block, made_up_chain

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.miner.pool_follower import PoolFollower, PoolStatus, PoolView


@dataclass
class Followed:
    """A pool, its follower, the views it showed, and the clock of its complaints."""

    pool: ScriptedPool
    follower: PoolFollower
    views: list[PoolView]
    now: float = 0.0

    @property
    def heights(self) -> list[int]:
        assert self.follower.view is not None
        return [block.height for block in self.follower.view.blocks]


@pytest.fixture
async def followed(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Followed]:
    caplog.set_level(logging.INFO)
    async with ScriptedPool() as pool, aiohttp.ClientSession() as session:
        views: list[PoolView] = []

        def show(follower: PoolFollower) -> None:
            assert follower.view is not None
            views.append(follower.view)

        complaints = Complaints(logging.getLogger("test"), lambda: followed.now)
        followed = Followed(
            pool, PoolFollower(MasterClient(session, pool.url), complaints, show), views
        )
        yield followed


def nonsense(_: web.Request) -> web.Response:
    return web.Response(status=404)


async def test_the_last_six_blocks_are_walked_back(followed: Followed) -> None:
    await followed.follower.poll()
    assert followed.heights == [200_000 - back for back in range(6)]
    assert followed.follower.status is PoolStatus.UP
    assert len(followed.views) == 1


async def test_known_blocks_are_not_asked_for_again(followed: Followed) -> None:
    await followed.follower.poll()
    await followed.follower.poll()
    assert len(followed.pool.blkinfo_requests()) == 6
    assert len(followed.views) == 1


async def test_a_new_block_costs_one_request(followed: Followed) -> None:
    await followed.follower.poll()
    chain = followed.pool.chain
    chain.append(made_up_block("main", 200_001, chain[-1]))
    await followed.follower.poll()
    assert followed.heights == [200_001 - back for back in range(6)]
    assert len(followed.pool.blkinfo_requests()) == 7


async def test_missed_blocks_are_filled_in(followed: Followed) -> None:
    await followed.follower.poll()
    chain = followed.pool.chain
    for height in range(200_001, 200_004):
        chain.append(made_up_block("main", height, chain[-1]))
    await followed.follower.poll()
    assert followed.heights == [200_003 - back for back in range(6)]
    assert len(followed.pool.blkinfo_requests()) == 9


async def test_a_rollback_replaces_blocks(followed: Followed) -> None:
    await followed.follower.poll()
    chain = followed.pool.chain
    del chain[-2:]
    chain.append(made_up_block("fork", 199_999, chain[-1]))
    chain.append(made_up_block("fork", 200_000, chain[-1]))
    await followed.follower.poll()
    assert followed.follower.view is not None
    assert list(followed.follower.view.blocks) == chain[::-1][:6]
    assert len(followed.pool.blkinfo_requests()) == 8


async def test_a_rollback_to_a_lower_tip_is_followed(followed: Followed) -> None:
    await followed.follower.poll()
    del followed.pool.chain[-2:]
    await followed.follower.poll()
    assert followed.heights == [199_998 - back for back in range(6)]


async def test_a_young_chain_has_fewer_blocks(followed: Followed) -> None:
    genesis = replace(made_up_block("main", 0, None), previous_hash=None)
    followed.pool.chain = [genesis, made_up_block("main", 1, genesis)]
    await followed.follower.poll()
    assert followed.heights == [1, 0]


async def test_a_master_with_wrong_heights_is_nonsense(followed: Followed) -> None:
    followed.pool.chain[-2] = replace(followed.pool.chain[-2], height=5)
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.NONSENSE
    assert followed.heights == [200_000]


async def test_handlers_are_known_even_if_blocks_are_not(followed: Followed) -> None:
    del followed.pool.chain[:-1]
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.NONSENSE
    assert followed.follower.view is not None
    assert followed.follower.view.config.submit_ann_urls


async def test_a_pool_without_handlers_is_not_up(followed: Followed) -> None:
    followed.pool.handlers = 0
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.NO_HANDLERS


@pytest.mark.parametrize("url", ["", "handler:8080/submit", "ftp://x/submit"])
async def test_a_handler_without_a_usable_url_is_nonsense(followed: Followed, url: str) -> None:
    followed.pool.config_edit = lambda config: replace(config, submit_ann_urls=(url,))
    with pytest.raises(PoolNonsense, match=r'field "submitAnnUrls": .* is not the URL'):
        await followed.follower.poll()


async def test_a_first_answer_that_is_nonsense_is_raised(followed: Followed) -> None:
    followed.pool.master_answer = nonsense
    with pytest.raises(PoolNonsense, match="is not a PacketCrypt pool"):
        await followed.follower.poll()


async def test_a_pool_that_is_down_at_first_is_waited_for(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    await followed.pool.stop()
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.DOWN
    await followed.pool.start()
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.UP
    assert "Trying again" in caplog.messages[0]
    assert caplog.messages[1] == f"{followed.pool.url} answers again."


async def test_nonsense_after_a_pool_was_down_is_trouble_like_any_other(
    followed: Followed,
) -> None:
    await followed.pool.stop()
    await followed.follower.poll()
    followed.pool.master_answer = nonsense
    await followed.pool.start()
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.NONSENSE


async def test_a_pool_that_is_starting_is_not_ready(followed: Followed) -> None:
    followed.pool.master_answer = lambda _: web.Response(status=500)
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.NOT_READY


async def test_the_last_view_stays_while_a_pool_is_down(followed: Followed) -> None:
    await followed.follower.poll()
    view = followed.follower.view
    await followed.pool.stop()
    await followed.follower.poll()
    assert followed.follower.view is view


async def test_nonsense_is_reported_once_a_minute(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    await followed.follower.poll()
    followed.pool.master_answer = nonsense
    for second in range(0, 125, 5):
        followed.now = float(second)
        await followed.follower.poll()
    assert len(caplog.messages) == 3
    assert all("is not a PacketCrypt pool" in message for message in caplog.messages)


async def test_a_newer_soft_version_is_a_warning(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    followed.pool.config_edit = lambda config: replace(config, soft_version=2)
    await followed.follower.poll()
    assert followed.follower.status is PoolStatus.UP
    assert "soft version 2" in caplog.text


async def test_a_pool_may_move_to_another_chain_entirely(followed: Followed) -> None:
    await followed.follower.poll()
    followed.pool.chain = made_up_chain("other", 300)
    await followed.follower.poll()
    assert followed.heights == [300 - back for back in range(6)]
