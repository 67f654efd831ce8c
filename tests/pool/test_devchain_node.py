"""How hard a development chain makes the block after one that was displaced."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from devchain_setup import EASY, EASY_RULES, devchain_loopback, mined_block

from packetcrypt.client.pktd import PktdClient
from packetcrypt.pool import devchain_node
from packetcrypt.pool.devchain import Devchain
from packetcrypt.pool.devchain_node import ANCESTORS
from packetcrypt.pool.devchain_retarget import PastBlock
from packetcrypt.pool.devchain_tree import ChainBlock


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[PastBlock]]:
    """What the target was reckoned from, each time."""
    histories: list[list[PastBlock]] = []

    def recorded(newest_first: Iterable[PastBlock], _goal: float) -> int:
        histories.append(list(newest_first))
        return EASY

    for name, value in {**EASY_RULES, "next_bits": recorded}.items():
        monkeypatch.setattr(devchain_node, name, value)
    return histories


async def _mine(chain: Devchain, client: PktdClient) -> ChainBlock:
    block, block_hash = await mined_block(client)
    await client.submit_block(block)
    mined = chain.node.tree.get(block_hash)
    assert mined is not None
    return mined


async def test_displaced_blocks_stay_in_the_history(
    tmp_path: Path, asked: list[list[PastBlock]]
) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        first = await _mine(chain, client)
        await chain.node.displace(first)
        second = await _mine(chain, client)
    made_up = [False] * ANCESTORS
    history = [block.commitment for block in asked[-1]]
    assert [found is not None for found in history] == [True, False, False, True, *made_up]
    assert (history[0], history[3]) == (second.commitment, first.commitment)
    assert first.hash != second.header.previous_hash


async def test_made_up_blocks_leave_the_target_that_a_displaced_one_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in EASY_RULES.items():
        if name != "next_bits":
            monkeypatch.setattr(devchain_node, name, value)
    async with devchain_loopback(tmp_path) as (chain, client):
        mined = await _mine(chain, client)
        await chain.node.displace(mined)
        tip = chain.node.tree.tip
    assert (tip.height, tip.commitment) == (mined.height + 1, None)
    assert tip.next_bits == tip.header.bits == mined.next_bits != EASY
