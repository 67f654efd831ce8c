"""A development chain as a pool meets it: over HTTP, through the client that the pool uses."""

import asyncio
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import devchain_setup
import pytest
from block_shares import mine_share
from devchain_setup import (
    EASY_RULES,
    devchain_client,
    devchain_loopback,
    devchain_settings,
    mined_block,
    raw_call,
    share_to_check,
    whole_block,
    work_of,
)
from pool_processes import LoggedProcess

from packetcrypt.client.json_rpc import RpcMisconfigured, RpcRefused
from packetcrypt.client.pktd import PktdSettings, ShareVerdict, pktd_client
from packetcrypt.client.pktd_block import Payment
from packetcrypt.pool import devchain_node
from packetcrypt.pool.devchain_coinbase import REWARD
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.errors import ConfigError

ALICE = "pkt1q6hqsqhqdgqfd8t3xwgceulu7k9d9w5t2amath0qxyfjlvl3s3u4sjza2g2"
BOB = "pkt1qcmkxmnl6mtw7hwy2v7net8ygtfq84n60l5lpwsa3azlk3f2qkn8qk6mz9c"


@pytest.fixture(autouse=True)
def _easy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EASY_RULES.items():
        monkeypatch.setattr(devchain_node, name, value)


@pytest.mark.parametrize(
    ("is_block", "verdict"), [(False, ShareVerdict.OK), (True, ShareVerdict.RESUBMIT_AS_BLOCK)]
)
async def test_shares(tmp_path: Path, is_block: bool, verdict: ShareVerdict) -> None:
    async with devchain_loopback(tmp_path) as (_, client):
        work = work_of(await client.block_template())
        assert (
            await client.check_share(share_to_check(work, mine_share(work, is_block=is_block)))
            is verdict
        )


@pytest.mark.parametrize(
    ("after", "refusal"), [(b"", None), (b"\x00", "coinbase goes on for 1 bytes after its end")]
)
async def test_a_share_whose_coinbase_came_with_its_witness(
    tmp_path: Path, after: bytes, refusal: str | None
) -> None:
    async with devchain_loopback(tmp_path) as (_, client):
        template = await client.block_template()
        work = work_of(template)
        mined = mine_share(work)
        coinbase = insert_commitment(template.transactions[0], mined.commitment.encode())
        assert coinbase[4:6] == b"\x00\x01"  # BIP 144's mark of a witness
        share = replace(share_to_check(work, mined), coinbase_no_witness=coinbase + after)
        with pytest.raises(RpcRefused, match=refusal) if refusal else nullcontext():
            assert await client.check_share(share) is ShareVerdict.OK


async def test_a_block_becomes_the_tip_and_pays_whom_its_template_said(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (_, client):
        await client.configure_mining_payouts({ALICE: 0.75, BOB: 0.25})
        block, block_hash = await mined_block(client)
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
    async with devchain_loopback(tmp_path) as (_, client):
        await client.configure_mining_payouts({ALICE: 1.0})
        block, block_hash = await mined_block(client)
        await client.submit_block(block)
        following, _ = await mined_block(client)
    with (tmp_path / "devchain" / "chain.ndjson").open("ab") as file:
        file.write(b'{"height": 10')
    async with devchain_loopback(tmp_path) as (chain, client):
        assert await client.best_block_hash() == block_hash
        assert (await client.block(block_hash)).payments == (Payment(ALICE, REWARD),)
        assert chain.node.payouts == {ALICE: 1.0}
        await client.submit_block(following)  # mined for a template of the run before
        tip = await client.best_block_hash()
    async with devchain_loopback(tmp_path) as (_, client):
        assert await client.best_block_hash() == tip


async def test_a_block_that_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    def wait_for_port(chain: LoggedProcess) -> int:
        index = chain.wait_for(lambda line: line.startswith("port "))
        return int(chain.lines[index].split()[1])

    command = (sys.executable, devchain_setup.__file__, tmp_path)
    with LoggedProcess(*command) as killed:
        async with devchain_client(await asyncio.to_thread(wait_for_port, killed)) as client:
            await client.configure_mining_payouts({ALICE: 1.0})
            block, block_hash = await mined_block(client)
            await client.submit_block(block)
            assert killed.stop(signal.SIGKILL) == -signal.SIGKILL
    async with devchain_loopback(tmp_path) as (_, client):
        assert await client.best_block_hash() == block_hash
        assert (await client.block(block_hash)).payments == (Payment(ALICE, REWARD),)


async def test_damage_within_the_chain_is_told(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path):
        pass
    file = tmp_path / "devchain" / "chain.ndjson"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(ConfigError, match=r"chain.ndjson:4: the development chain is damaged"):
        async with devchain_loopback(tmp_path):
            pass


async def test_a_stale_block(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        block, _ = await mined_block(client)
        await chain.node.add_made_up()
        with pytest.raises(RpcRefused, match="rejected: bad-prevblk"):
            await client.submit_block(block)


async def test_a_share_is_no_block(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (_, client):
        template = await client.block_template()
        with pytest.raises(RpcRefused, match=r"high-hash|INSUF_POW"):
            await client.submit_block(whole_block(template, mine_share(work_of(template))))


async def test_a_mined_block_is_displaced_by_a_longer_branch(tmp_path: Path) -> None:
    changes = {"reorganise": 1.0, "block_seconds": 0.02, "patience": 0.0}
    async with devchain_loopback(tmp_path, **changes) as (chain, client):
        block, block_hash = await mined_block(client)
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
    async with devchain_loopback(tmp_path, block_seconds=0.01) as (chain, _):
        begin = chain.node.tree.tip.height
        async with asyncio.timeout(30):
            while chain.node.tree.tip.height == begin:  # noqa: ASYNC110 - it comes by a timer
                await asyncio.sleep(0.01)


async def test_another_password(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (chain, _):
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
    async with devchain_loopback(tmp_path) as (_, client):
        with pytest.raises(RpcRefused, match=message):
            await client.configure_mining_payouts(payouts)


async def test_a_call_that_there_is_not(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path) as (chain, _):
        _, answer = await raw_call(chain.port, "stop")
    assert (answer["id"], answer["error"]["code"]) == (7, -32601)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"refuse": 1.5}, "refuse = 1.5 is no probability"),
        ({"block_seconds": 0.0}, "block_seconds = 0.0 cannot work"),
        ({"bind": "here"}, 'bind = "here" is no address'),
    ],
)
def test_settings_that_cannotwork_of(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        devchain_settings(tmp_path, **changes)
