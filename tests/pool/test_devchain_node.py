"""When a development chain makes a block up to change the target, and how hard the next one is."""

import asyncio
import json
from pathlib import Path

import pytest
from block_shares import mine_share
from devchain_setup import (
    EASY,
    EASY_RULES,
    devchain_loopback,
    known_announcement,
    mined_block,
    share_to_check,
    whole_block,
    work_of,
)

from packetcrypt.client.json_rpc import RpcRefused
from packetcrypt.client.pktd import PktdClient, ShareVerdict
from packetcrypt.pool import devchain_node
from packetcrypt.pool.devchain import Devchain
from packetcrypt.pool.devchain_retarget import LISTENING_BITS, Retarget
from packetcrypt.pool.devchain_tree import ChainBlock
from packetcrypt.protocol.difficulty import work_of_compact


@pytest.fixture(autouse=True)
def _known_announcements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devchain_node, "check_announcement", known_announcement)


@pytest.fixture
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks can be mined, and are not made up."""
    for name, value in EASY_RULES.items():
        monkeypatch.setattr(devchain_node, name, value)


async def _check_a_share(client: PktdClient, *, is_block: bool = False) -> ShareVerdict:
    work = work_of(await client.block_template())
    return await client.check_share(share_to_check(work, mine_share(work, is_block=is_block)))


async def _mine(chain: Devchain, client: PktdClient) -> ChainBlock:
    block, block_hash = await mined_block(client)
    await client.submit_block(block)
    mined = chain.node.tree.get(block_hash)
    assert mined is not None
    return mined


async def test_the_first_share_of_a_new_chain_ends_the_block_that_it_is_of(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path, set_size=10_000) as (chain, client):
        before = chain.node.tree.tip
        assert before.next_bits == LISTENING_BITS
        with pytest.raises(RpcRefused, match="rejected: bad-prevblk: another block came meanwhile"):
            await _check_a_share(client)
        tip = chain.node.tree.tip
        assert (tip.height, tip.commitment) == (before.height + 1, None)
        assert work_of_compact(tip.next_bits) > work_of_compact(LISTENING_BITS)
        assert await _check_a_share(client) is ShareVerdict.OK


@pytest.mark.usefixtures("easy")
@pytest.mark.parametrize(("is_block", "made_up"), [(False, 1), (True, 0)])
async def test_a_share_that_says_that_the_target_is_far_off_ends_its_block_unless_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_block: bool, made_up: int
) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        before = chain.node.tree.tip.height
        monkeypatch.setattr(devchain_node.Retarget, "is_far_off", lambda *_: True)
        await _check_a_share(client, is_block=is_block)
        assert chain.node.tree.tip.height == before + made_up


@pytest.mark.usefixtures("easy")
async def test_no_block_is_made_up_while_one_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        monkeypatch.setattr(devchain_node.Retarget, "is_far_off", lambda *_: True)
        template = await client.block_template()
        work = work_of(template)
        mined = mine_share(work, is_block=True)
        verdict = await client.check_share(share_to_check(work, mined))
        assert verdict is ShareVerdict.RESUBMIT_AS_BLOCK
        monkeypatch.setattr(devchain_node.Retarget, "is_too_quiet", lambda *_: True)
        await _check_a_share(client)
        assert not chain.node.is_too_quiet
        await client.submit_block(whole_block(template, mined))
        assert chain.node.tree.tip.commitment is not None


@pytest.mark.usefixtures("easy")
async def test_a_full_disk_leaves_the_target_and_refuses_no_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with devchain_loopback(tmp_path) as (chain, client):
        before = chain.node.tree.tip
        monkeypatch.setattr(devchain_node.Retarget, "is_far_off", lambda *_: True)
        monkeypatch.setattr(devchain_node.ChainJournal, "add_block", full)
        assert await _check_a_share(client) is ShareVerdict.OK
        assert chain.node.tree.tip is before
        assert "the target stays" in caplog.text


@pytest.mark.usefixtures("easy")
@pytest.mark.parametrize("is_checked_first", [False, True])
async def test_a_block_is_one_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_checked_first: bool
) -> None:
    noted: list[int] = []

    class Noting(devchain_node.Retarget):
        def share_came(self, now: float, share_bits: int, commitment: object) -> None:
            noted.append(share_bits)

    monkeypatch.setattr(devchain_node, "Retarget", Noting)
    async with devchain_loopback(tmp_path) as (_, client):
        template = await client.block_template()
        work = work_of(template)
        mined = mine_share(work, is_block=True)
        share = share_to_check(work, mined)
        if is_checked_first:
            await client.check_share(share)
        await client.submit_block(whole_block(template, mined))
        assert noted == [share.share_target if is_checked_first else EASY]


async def test_when_no_share_comes_the_next_block_is_easier(tmp_path: Path) -> None:
    changes = {"patience": 0.0, "block_seconds": 0.01, "set_size": 10**6}
    async with devchain_loopback(tmp_path, **changes) as (chain, client):
        with pytest.raises(RpcRefused):
            await _check_a_share(client)
        hard = chain.node.tree.tip.next_bits
        async with asyncio.timeout(30):
            while chain.node.tree.tip.next_bits == hard:  # noqa: ASYNC110 - it comes by a timer
                await asyncio.sleep(0.05)
        assert work_of_compact(chain.node.tree.tip.next_bits) < work_of_compact(hard)


@pytest.mark.usefixtures("easy")
async def test_made_up_blocks_leave_the_target_that_a_displaced_one_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        monkeypatch.setattr(devchain_node.Retarget, "next_bits", Retarget.next_bits)
        mined = await _mine(chain, client)
        await chain.node.displace(mined)
        tip = chain.node.tree.tip
    assert (tip.height, tip.commitment) == (mined.height + 1, None)
    assert tip.next_bits == tip.header.bits == mined.next_bits != EASY


@pytest.mark.usefixtures("easy")
async def test_a_restart_goes_on_with_the_target_and_takes_the_file_of_older_versions(
    tmp_path: Path,
) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        mined = await _mine(chain, client)
    file = tmp_path / "devchain" / "chain.ndjson"
    blocks = [json.loads(line) for line in file.read_text().splitlines()]
    # Until 0.1.0's development, how long a block had taken was there, too.
    file.write_text("".join(json.dumps({**block, "seconds": 1.5}) + "\n" for block in blocks))
    async with devchain_loopback(tmp_path) as (chain, client):
        assert chain.node.tree.tip == mined
        assert (await client.block_template()).header.bits == mined.next_bits
