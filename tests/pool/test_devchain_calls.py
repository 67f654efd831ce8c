"""Calls of a development chain that only it has, or that a pool makes seldom."""

import asyncio
import threading
from pathlib import Path

import pytest
from block_shares import mine_share
from devchain_setup import (
    EASY_RULES,
    devchain_loopback,
    known_announcement,
    mined_block,
    raw_call,
    share_to_check,
    work_of,
)
from vector_files import load_vectors

from packetcrypt.client.json_rpc import RpcRefused
from packetcrypt.client.pktd import ShareVerdict
from packetcrypt.pool import devchain_node
from packetcrypt.protocol.validation import CheckedAnnouncement

ANN_CHECKS = {case["name"]: case for case in load_vectors("ann_check")}


async def test_a_block_is_added_upon_the_tip(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        before = chain.node.tree.tip
        _, answer = await raw_call(chain.port, "devchain_addblock")
        added = await client.block_header(bytes.fromhex(answer["result"])[::-1])
        assert (added.height, added.previous_hash) == (before.height + 1, before.hash)
        assert await client.best_block_hash() == added.hash


async def test_two_blocks_upon_the_one_before_the_tip_displace_it(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        lost = chain.node.tree.tip
        upon = lost.header.previous_hash[::-1].hex()
        for added in range(2):
            assert await client.best_block_hash() == lost.hash, added
            _, answer = await raw_call(chain.port, "devchain_addblock", upon)
            upon = answer["result"]
        assert (await client.best_block_hash())[::-1].hex() == upon
        assert chain.node.tree.tip.height == lost.height + 1
        _, answer = await raw_call(chain.port, "getblockheader", lost.hash[::-1].hex(), True)
        assert answer["result"]["confirmations"] == -1


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        (("devchain_addblock", "ab" * 32), -1, "rejected: bad-prevblk: there is no abab"),
        (("devchain_addblock", "ab"), -22, "64 hexadecimal digits"),
        (("getblock", "ab" * 32, True, True), -5, "Block not found"),
        (("getblock", "ab" * 32, False), -32602, "blocks are told as JSON only"),
        (("getblockheader",), -32602, "give a block's hash, and true"),
        (("getbestblockhash", 1), -32602, "it takes no parameters"),
        (("checkpcann", "ab"), -32602, "it takes ANNOUNCEMENT PROOF_VERSION PARENT_HASH"),
        (("submitblock", "zz"), -22, "hexadecimal"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_calls_that_cannot_be(
    tmp_path: Path, call: tuple[object, ...], code: int, message: str
) -> None:
    async with devchain_loopback(tmp_path) as (chain, _):
        _, answer = await raw_call(chain.port, *call)
    assert answer["error"]["code"] == code
    assert message in answer["error"]["message"]


async def test_a_good_announcement(tmp_path: Path) -> None:
    good = ANN_CHECKS["valid"]
    async with devchain_loopback(tmp_path) as (_, client):
        work_hash = await client.check_announcement(
            bytes.fromhex(good["ann"]), bytes.fromhex(good["parent_block_hash"])
        )
    # What pktd said about this announcement, in display order.
    shown = "00e5365226efdf9a5cd53e75841c894cb6fe226fe5c9c4de8ba245f35cd8d4d0"
    assert work_hash[::-1].hex() == shown


@pytest.mark.parametrize(
    ("of_another_block", "name", "reason"),
    [(False, "flip last byte", "INVAL_ITEM4"), (True, "valid", "INVAL")],
)
async def test_a_bad_announcement(
    tmp_path: Path, of_another_block: bool, name: str, reason: str
) -> None:
    bad = ANN_CHECKS[name]
    parent_hash = bytes(32) if of_another_block else bytes.fromhex(bad["parent_block_hash"])
    async with devchain_loopback(tmp_path) as (_, client):
        with pytest.raises(RpcRefused, match=f"Validate_checkAnn_{reason}"):
            await client.check_announcement(bytes.fromhex(bad["ann"]), parent_hash)


async def test_the_tip_is_told_and_a_block_added_while_a_share_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released = threading.Event(), threading.Event()

    def held(announcement: bytes, parent_hash: bytes) -> CheckedAnnouncement:
        begun.set()
        assert released.wait(60)
        return known_announcement(announcement, parent_hash)

    for name, value in {**EASY_RULES, "check_announcement": held}.items():
        monkeypatch.setattr(devchain_node, name, value)
    async with devchain_loopback(tmp_path) as (chain, client):
        tip = chain.node.tree.tip.hash
        work = work_of(await client.block_template())
        share = share_to_check(work, mine_share(work))
        judged = asyncio.create_task(client.check_share(share))
        try:
            assert await asyncio.to_thread(begun.wait, 60)
            assert await client.best_block_hash() == tip
            assert (await client.block_template()).header.previous_hash == tip
            await raw_call(chain.port, "devchain_addblock")
            assert await client.best_block_hash() != tip
            assert not judged.done()
        finally:
            released.set()
        assert await judged is ShareVerdict.OK


async def test_a_block_does_not_wait_for_a_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released = threading.Event(), threading.Event()
    is_first = True

    def first_is_held(announcement: bytes, parent_hash: bytes) -> CheckedAnnouncement:
        nonlocal is_first
        if is_first:
            is_first = False
            begun.set()
            assert released.wait(60)
        return known_announcement(announcement, parent_hash)

    for name, value in {**EASY_RULES, "check_announcement": first_is_held}.items():
        monkeypatch.setattr(devchain_node, name, value)
    async with devchain_loopback(tmp_path) as (_, client):
        work = work_of(await client.block_template())
        share = share_to_check(work, mine_share(work, nonce=1))
        block, block_hash = await mined_block(client)
        judged = asyncio.create_task(client.check_share(share))
        try:
            assert await asyncio.to_thread(begun.wait, 60)
            as_share = share_to_check(work, mine_share(work, is_block=True))
            assert await client.check_share(as_share) is ShareVerdict.RESUBMIT_AS_BLOCK
            await client.submit_block(block)
            assert await client.best_block_hash() == block_hash
            assert not judged.done()
        finally:
            released.set()
        assert await judged is ShareVerdict.OK
