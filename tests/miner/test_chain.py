"""Which parent hashes a block miner knows, asked over real HTTP from a scripted master."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from scripted_pool import ScriptedPool, made_up_block, made_up_chain

from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.miner.chain import DEEPEST_AGE, ParentHashes
from packetcrypt.protocol.pool_messages import BlockInfo

TIP = 200_000


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    async with ScriptedPool(chain=made_up_chain("main", TIP, 300)) as pool:
        yield pool


@pytest.fixture
async def parents(pool: ScriptedPool) -> AsyncIterator[ParentHashes]:
    async with aiohttp.ClientSession() as session:
        yield ParentHashes(MasterClient(session, pool.url))


def grow(pool: ScriptedPool, count: int, label: str = "main") -> None:
    for _ in range(count):
        tip = pool.chain[-1]
        pool.chain.append(made_up_block(label, tip.height + 1, tip))


def known(parents: ParentHashes, chain: list[BlockInfo]) -> list[int]:
    """Heights of the chain's blocks whose hash is known."""
    return [block.height for block in chain if parents.hash_at(block.height) == block.hash]


async def test_nothing_is_known_at_first(parents: ParentHashes) -> None:
    assert parents.tip_height == -1
    assert parents.hash_at(TIP) is None
    await parents.reach(0)
    assert parents.tip_height == -1


async def test_the_first_answer_costs_one_request(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    assert await parents.follow(pool.config()) == frozenset()
    assert known(parents, pool.chain) == [TIP]
    assert len(pool.blkinfo_requests()) == 1


async def test_older_blocks_are_known_when_asked_for(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    await parents.reach(TIP - 5)
    assert known(parents, pool.chain) == list(range(TIP - 5, TIP + 1))
    await parents.reach(TIP - 3)
    assert len(pool.blkinfo_requests()) == 6


async def test_nobody_walks_further_than_announcements_reach(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    await parents.reach(0)
    assert known(parents, pool.chain) == list(range(TIP - DEEPEST_AGE, TIP + 1))


async def test_a_young_chain_ends_at_its_first_block() -> None:
    chain = [made_up_block("young", 0, None)]
    async with ScriptedPool(chain=chain) as pool, aiohttp.ClientSession() as session:
        grow(pool, 4, "young")
        parents = ParentHashes(MasterClient(session, pool.url))
        await parents.follow(pool.config())
        await parents.reach(-7)
        assert known(parents, pool.chain) == [0, 1, 2, 3, 4]


async def test_new_blocks_join_what_is_known(pool: ScriptedPool, parents: ParentHashes) -> None:
    await parents.follow(pool.config())
    grow(pool, 3)
    assert await parents.follow(pool.config()) == frozenset()
    assert known(parents, pool.chain) == list(range(TIP, TIP + 4))
    assert len(pool.blkinfo_requests()) == 4


async def test_a_reorganisation_names_the_replaced_heights(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    await parents.reach(TIP - 10)
    del pool.chain[-3:]
    grow(pool, 4, "other")
    assert await parents.follow(pool.config()) == {TIP - 2, TIP - 1, TIP}
    assert known(parents, pool.chain) == list(range(TIP - 10, TIP + 2))


async def test_a_rollback_forgets_what_is_above_the_tip(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    await parents.reach(TIP - 10)
    del pool.chain[-2:]
    assert await parents.follow(pool.config()) == {TIP - 1, TIP}
    assert parents.tip_height == TIP - 2
    assert parents.hash_at(TIP) is None


async def test_another_chain_altogether(pool: ScriptedPool, parents: ParentHashes) -> None:
    await parents.follow(pool.config())
    await parents.reach(TIP - 2)
    pool.chain = made_up_chain("other", TIP - 5)
    assert await parents.follow(pool.config()) == {TIP - 2, TIP - 1, TIP}
    assert known(parents, pool.chain) == [TIP - 5]


async def test_blocks_too_old_for_announcements_are_forgotten(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    await parents.reach(0)
    grow(pool, 2)
    await parents.follow(pool.config())
    assert known(parents, pool.chain) == list(range(TIP + 2 - DEEPEST_AGE, TIP + 3))


async def test_after_a_long_sleep_only_the_tip_is_asked_for(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    grow(pool, DEEPEST_AGE + 1)
    assert await parents.follow(pool.config()) == frozenset()
    assert len(pool.blkinfo_requests()) == 2


async def test_a_reorganisation_while_older_blocks_are_asked_for(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    reaching = asyncio.create_task(parents.reach(TIP - 3))
    async with asyncio.timeout(30):
        while len(pool.blkinfo_requests()) < 2:  # noqa: ASYNC110 - they come over HTTP
            await asyncio.sleep(0)
    pool.chain, old = made_up_chain("other", TIP), pool.chain
    pool.removed = old  # still told by hash, as a node does of blocks that left the chain
    await parents.follow(pool.config())
    await reaching
    assert known(parents, old) == []
    await parents.reach(TIP - 3)
    assert known(parents, pool.chain) == list(range(TIP - 3, TIP + 1))


async def test_a_master_that_errs_changes_nothing(
    pool: ScriptedPool, parents: ParentHashes
) -> None:
    await parents.follow(pool.config())
    tip = pool.chain[-1]
    pool.chain.append(made_up_block("main", TIP + 7, tip))
    wrong = replace(pool.config(), current_height=TIP + 2)
    with pytest.raises(PoolNonsense, match=f"has height {TIP + 7}"):
        await parents.follow(wrong)
    assert parents.tip_height == TIP
