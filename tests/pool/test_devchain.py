"""A development chain as a pool meets it: over HTTP, through the client that the pool uses."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from block_shares import MinedShare, mine_share
from handler_announcements import KNOWN_JOBS

from packetcrypt.client.json_rpc import (
    RpcBusy,
    RpcMisconfigured,
    RpcRefused,
    RpcUnanswered,
)
from packetcrypt.client.pktd import (
    PktdClient,
    PktdSettings,
    ShareToCheck,
    ShareVerdict,
    pktd_client,
)
from packetcrypt.client.pktd_block import Payment
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool import devchain_node, devchain_retarget
from packetcrypt.pool.devchain import Devchain, running_devchain
from packetcrypt.pool.devchain_coinbase import REWARD
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.validation import AnnouncementCheck, CheckedAnnouncement
from packetcrypt.protocol.varint import encode_varint
from packetcrypt.protocol.work_file import BlockWork

ALICE = "pkt1q6hqsqhqdgqfd8t3xwgceulu7k9d9w5t2amath0qxyfjlvl3s3u4sjza2g2"
BOB = "pkt1qcmkxmnl6mtw7hwy2v7net8ygtfq84n60l5lpwsa3azlk3f2qkn8qk6mz9c"
FIRST = KNOWN_JOBS[0].parent_height - 3
EASY = target_to_compact(target_of_work(400))
"""what the few announcements of the tests can mine"""
SHARE_TARGET = 0x207FFFFF


@pytest.fixture(autouse=True)
def _easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known announcements, of another chain, are good on this one; blocks are easy."""

    def known(announcement: bytes, _parent_hash: bytes) -> CheckedAnnouncement:
        is_known = any(announcement in job.announcements for job in KNOWN_JOBS)
        result = AnnouncementCheck.OK if is_known else AnnouncementCheck.INVAL
        return CheckedAnnouncement(result, bytes(32))

    monkeypatch.setattr(devchain_node, "check_announcement", known)
    monkeypatch.setattr(devchain_node, "FIRST_BITS", EASY)
    monkeypatch.setattr(devchain_retarget, "_MIN_WORK", 400)
    monkeypatch.setattr(devchain_node, "next_bits", lambda _past, _goal: EASY)


def _settings(folder: Path, **changes: Any) -> DevchainSettings:
    pool = PoolSettings(
        master_url="http://127.0.0.1:9",
        root_workdir=folder,
        paymaker_http_password="f1d2a8",
    )
    return DevchainSettings(
        pool=pool,
        pktd=PktdSettings(user="pool", password="3c7e"),
        **{"bind": "127.0.0.1:0", "first_height": FIRST, **changes},
    )


@asynccontextmanager
async def _chain(folder: Path, **changes: Any) -> AsyncIterator[tuple[Devchain, PktdClient]]:
    settings = _settings(folder, **changes)
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(running_devchain(settings, chance=random.Random(5)))
        pktd = replace(settings.pktd, url=f"http://127.0.0.1:{chain.port}")
        yield chain, await stack.enter_async_context(pktd_client(pktd))


def _work(template: BlockTemplate) -> BlockWork:
    return BlockWork(
        header=template.header,
        signing_key=bytes(32),
        share_target=SHARE_TARGET,
        ann_target=SHARE_TARGET,
        height=template.height,
        coinbase_no_witness=template.coinbase_no_witness,
        merkle_branch=template.merkle_branch,
    )


def _to_check(work: BlockWork, mined: MinedShare) -> ShareToCheck:
    return ShareToCheck(
        share_target=work.share_target,
        height=work.height,
        block=mined.header.encode() + encode_proof_sections(mined.proof, end=True) + b"\x00",
        coinbase_no_witness=insert_commitment(work.coinbase_no_witness, mined.commitment.encode()),
        merkle_branch=work.merkle_branch,
    )


def _whole(template: BlockTemplate, mined: MinedShare) -> bytes:
    coinbase, *others = template.transactions
    transactions = [insert_commitment(coinbase, mined.commitment.encode()), *others]
    return b"".join(
        (
            mined.header.encode(),
            encode_proof_sections(mined.proof, end=True),
            encode_varint(len(transactions)),
            *transactions,
        )
    )


async def _mined_block(client: PktdClient) -> tuple[bytes, bytes]:
    """A block that may be submitted, and its hash."""
    template = await client.block_template()
    mined = mine_share(_work(template), is_block=True)
    return _whole(template, mined), mined.header.block_hash


@pytest.mark.parametrize(
    ("is_block", "verdict"), [(False, ShareVerdict.OK), (True, ShareVerdict.RESUBMIT_AS_BLOCK)]
)
async def test_shares(tmp_path: Path, is_block: bool, verdict: ShareVerdict) -> None:
    async with _chain(tmp_path) as (_, client):
        work = _work(await client.block_template())
        assert (
            await client.check_share(_to_check(work, mine_share(work, is_block=is_block)))
            is verdict
        )


async def test_a_block_becomes_the_tip_and_pays_whom_its_template_said(tmp_path: Path) -> None:
    async with _chain(tmp_path) as (_, client):
        await client.configure_mining_payouts({ALICE: 0.75, BOB: 0.25})
        block, block_hash = await _mined_block(client)
        await client.configure_mining_payouts({BOB: 1.0})
        await client.submit_block(block)
        assert await client.best_block_hash() == block_hash
        told = await client.block(block_hash)
        assert told.payments == (
            Payment(ALICE, REWARD * 3 // 4),
            Payment(BOB, REWARD // 4),
        )
        assert len(told.transaction_ids) == 3
        with pytest.raises(RpcRefused, match="rejected: already have block"):
            await client.submit_block(block)


async def test_what_was_accepted_survives_a_restart_and_a_torn_line_does_not(
    tmp_path: Path,
) -> None:
    async with _chain(tmp_path) as (_, client):
        await client.configure_mining_payouts({ALICE: 1.0})
        block, block_hash = await _mined_block(client)
        await client.submit_block(block)
        following, _ = await _mined_block(client)
    with (tmp_path / "devchain" / "chain.ndjson").open("ab") as file:
        file.write(b'{"height": 10')
    async with _chain(tmp_path) as (chain, client):
        assert await client.best_block_hash() == block_hash
        assert (await client.block(block_hash)).payments == (Payment(ALICE, REWARD),)
        assert chain.node.payouts == {ALICE: 1.0}
        await client.submit_block(following)  # mined for a template of the run before
        tip = await client.best_block_hash()
    async with _chain(tmp_path) as (_, client):
        assert await client.best_block_hash() == tip


async def test_damage_within_the_chain_is_told(tmp_path: Path) -> None:
    async with _chain(tmp_path):
        pass
    file = tmp_path / "devchain" / "chain.ndjson"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(ConfigError, match=r"chain.ndjson:4: the development chain is damaged"):
        async with _chain(tmp_path):
            pass


async def test_a_stale_block(tmp_path: Path) -> None:
    async with _chain(tmp_path) as (chain, client):
        block, _ = await _mined_block(client)
        await chain.node.add_made_up()
        with pytest.raises(RpcRefused, match="rejected: bad-prevblk"):
            await client.submit_block(block)


async def test_a_share_is_no_block(tmp_path: Path) -> None:
    async with _chain(tmp_path) as (_, client):
        template = await client.block_template()
        with pytest.raises(RpcRefused, match=r"high-hash|INSUF_POW"):
            await client.submit_block(_whole(template, mine_share(_work(template))))


async def test_a_mined_block_is_displaced_by_a_longer_branch(tmp_path: Path) -> None:
    changes = {"reorganise": 1.0, "block_seconds": 0.02, "patience": 0.0}
    async with _chain(tmp_path, **changes) as (chain, client):
        block, block_hash = await _mined_block(client)
        height = (await client.block_header(await client.best_block_hash())).height + 1
        await client.submit_block(block)
        async with asyncio.timeout(30):
            while chain.node.tree.tip.height < height + 1:  # noqa: ASYNC110 - it comes by a timer
                await asyncio.sleep(0.01)
        displaced = chain.node.tree.get(block_hash)
        assert displaced is not None
        assert chain.node.tree.confirmations(displaced) == -1
        assert (await client.block_header(block_hash)).height == height


async def test_an_overdue_block_is_made_up(tmp_path: Path) -> None:
    async with _chain(tmp_path, block_seconds=0.01) as (chain, _):
        begin = chain.node.tree.tip.height
        async with asyncio.timeout(30):
            while chain.node.tree.tip.height == begin:  # noqa: ASYNC110 - it comes by a timer
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"refuse": 1.0}, RpcBusy),
        ({"drop": 1.0}, RpcUnanswered),
    ],
)
async def test_faults(tmp_path: Path, changes: dict[str, float], error: type[Exception]) -> None:
    async with _chain(tmp_path, **changes) as (_, client):
        with pytest.raises(error):
            await client.best_block_hash()


async def test_another_password(tmp_path: Path) -> None:
    async with _chain(tmp_path) as (chain, _):
        pktd = PktdSettings(
            url=f"http://127.0.0.1:{chain.port}",
            user="pool",
            password="another",
        )
        async with pktd_client(pktd) as client:
            with pytest.raises(RpcMisconfigured):
                await client.best_block_hash()


@pytest.mark.parametrize(
    ("payouts", "message"),
    [
        ({"nobody": 1.0}, "is not a PKT address"),
        ({ALICE: 0.5}, "together: 1 is the reward"),
        ({ALICE: -1.0, BOB: 2.0}, "give a fraction from 0 to 1"),
    ],
)
async def test_payouts_that_cannot_be(
    tmp_path: Path, payouts: dict[str, float], message: str
) -> None:
    async with _chain(tmp_path) as (_, client):
        with pytest.raises(RpcRefused, match=message):
            await client.configure_mining_payouts(payouts)


async def test_a_call_that_there_is_not(tmp_path: Path) -> None:
    async with _chain(tmp_path) as (chain, _), aiohttp.ClientSession() as session:
        headers = {"Authorization": aiohttp.encode_basic_auth("pool", "3c7e")}
        call = {"id": 7, "method": "stop", "params": []}
        url = f"http://127.0.0.1:{chain.port}/"
        async with session.post(url, json=call, headers=headers) as reply:
            answer = await reply.json()
    assert (answer["id"], answer["error"]["code"]) == (7, -32601)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"refuse": 1.5}, "refuse = 1.5 is no probability"),
        ({"block_seconds": 0.0}, "block_seconds = 0.0 cannot work"),
        ({"bind": "here"}, 'bind = "here" is no address'),
    ],
)
def test_settings_that_cannot_work(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _settings(tmp_path, **changes)
