"""What a development chain tells those who look on, over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from block_shares import mine_share
from devchain_setup import (
    EASY_RULES,
    FIRST,
    PASSWORD,
    devchain_loopback,
    mined_block,
    raw_call,
    share_to_check,
    whole_block,
    work_of,
)
from operations_reading import assert_as_declared, read_health, read_metrics

from packetcrypt.client.json_rpc import RpcBusy, RpcRefused, RpcUnanswered
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.pool import devchain_node, devchain_operations
from packetcrypt.pool.devchain import Devchain
from packetcrypt.pool.devchain_node import ANCESTORS
from packetcrypt.pool.devchain_operations import METRICS, SERVICE

ALICE = "pkt1q6hqsqhqdgqfd8t3xwgceulu7k9d9w5t2amath0qxyfjlvl3s3u4sjza2g2"
BOB = "pkt1qcmkxmnl6mtw7hwy2v7net8ygtfq84n60l5lpwsa3azlk3f2qkn8qk6mz9c"
TIP = FIRST + ANCESTORS - 1
BLOCKS = "packetcrypt_devchain_blocks_total"
CALLS = "packetcrypt_devchain_calls_total"
FAULTS = "packetcrypt_devchain_faults_total"


@pytest.fixture(autouse=True)
def _easy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EASY_RULES.items():
        monkeypatch.setattr(devchain_node, name, value)


@pytest.fixture
async def session() -> Any:
    async with aiohttp.ClientSession() as session:
        yield session


def url_of(chain: Devchain) -> str:
    return f"http://127.0.0.1:{chain.port}"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)


async def test_a_chain_is_ok_without_a_password(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with devchain_loopback(tmp_path) as (chain, _):
        status, health = await read_health(session, url_of(chain))
    assert status == 200
    assert (health["service"], health["name"], health["status"]) == ("devchain", "", "ok")
    assert {name: check["ok"] for name, check in health["checks"].items()} == {
        "chain": True,
        "disk": True,
    }
    assert health["checks"]["chain"]["detail"].startswith(f"the tip is block {TIP}, for ")


async def test_metrics_after_known_traffic(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with devchain_loopback(tmp_path, patience=0.0) as (chain, client):
        url = url_of(chain)
        fresh = await read_metrics(session, url)
        await client.configure_mining_payouts({ALICE: 0.75, BOB: 0.25})
        work = work_of(await client.block_template())
        await client.check_share(share_to_check(work, mine_share(work)))
        as_block = share_to_check(work, mine_share(work, is_block=True))
        await client.check_share(as_block)
        await client.check_share(as_block)
        block, block_hash = await mined_block(client)
        await client.submit_block(block)
        with pytest.raises(RpcRefused):
            await client.submit_block(block)
        with pytest.raises(RpcRefused):
            await client.check_share(as_block)  # of a height that is mined no more
        template = await client.block_template()
        with pytest.raises(RpcRefused):
            await client.submit_block(whole_block(template, mine_share(work_of(template))))
        await raw_call(chain.port, "devchain_addblock")
        mined = chain.node.tree.get(block_hash)
        assert mined is not None
        await chain.node.displace(mined)  # three made-up blocks for two
        for method in ("stop", "made-up"):
            await raw_call(chain.port, method)
        async with session.post(f"{url}/") as reply:
            assert reply.status == 401
        after = await read_metrics(session, url)

    assert fresh.value("packetcrypt_devchain_tip_height") == TIP
    assert {origin: fresh.value(BLOCKS, origin=origin) for origin in ("mined", "made_up")} == {
        "mined": 0,
        "made_up": 0,
    }
    assert fresh.value("packetcrypt_devchain_paid_addresses") == 0
    value = after.value
    assert value("packetcrypt_devchain_tip_height") == TIP + 3
    assert value(BLOCKS, origin="mined") == 1
    assert value(BLOCKS, origin="made_up") == 1 + 3
    assert value("packetcrypt_devchain_blocks_refused_total") == 2
    assert value("packetcrypt_devchain_blocks_displaced_total") == 2
    shares = {"ok": 1, "resubmit_as_block": 2, "refused": 1}
    name = "packetcrypt_devchain_shares_total"
    assert {outcome: value(name, outcome=outcome) for outcome in shares} == shares
    assert value("packetcrypt_devchain_paid_addresses") == 2
    assert 0 <= value("packetcrypt_devchain_block_age_seconds") < 60
    assert value("packetcrypt_devchain_disk_free_bytes") > 0
    calls = {
        ("configureminingpayouts", "result"): 1,
        ("getrawblocktemplate", "result"): 3,
        ("checkpcshare", "result"): 3,
        ("checkpcshare", "error"): 1,
        ("submitblock", "result"): 3,  # pktd tells a refusal as a result, too
        ("devchain_addblock", "result"): 1,
        ("other", "error"): 2,
    }
    shown = {(one["method"], one["outcome"]) for one in after.labels(CALLS)}
    assert shown == calls.keys()
    assert {labels: value(CALLS, method=labels[0], outcome=labels[1]) for labels in calls} == calls
    assert {one["fault"] for one in after.labels(FAULTS)} == {
        "late",
        "refused",
        "unheard",
        "unanswered",
    }
    assert not any(value(FAULTS, **labels) for labels in after.labels(FAULTS))
    requests = "packetcrypt_devchain_request_seconds_count"
    assert value(requests, route="POST /", status="401") == 1
    assert value(requests, route="POST /", status="200") == sum(calls.values())
    assert_as_declared(after, (*common_metrics(SERVICE), *METRICS))
    assert after.families.keys() >= {metric.name for metric in METRICS}


async def test_faults_are_counted_and_do_not_concern_who_looks_on(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    changes: dict[str, Any] = {"refuse": 1.0, "delay": 1.0, "delay_seconds": 0.001}
    async with devchain_loopback(tmp_path, **changes) as (chain, client):
        for _ in range(3):
            with pytest.raises(RpcBusy):
                await client.best_block_hash()
        assert (await read_health(session, url_of(chain)))[0] == 200
        metrics = await read_metrics(session, url_of(chain))
    assert metrics.value(FAULTS, fault="refused") == 3
    assert metrics.value(FAULTS, fault="late") == 3
    assert metrics.labels(CALLS) == []


async def test_calls_without_an_answer_are_counted(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with devchain_loopback(tmp_path, drop=1.0) as (chain, client):
        for _ in range(20):
            with pytest.raises(RpcUnanswered):
                await client.best_block_hash()
        metrics = await read_metrics(session, url_of(chain))
    unheard = metrics.value(FAULTS, fault="unheard")
    unanswered = metrics.value(FAULTS, fault="unanswered")
    assert unheard + unanswered == 20
    assert metrics.value(CALLS, method="getbestblockhash", outcome="result") == unanswered > 0


async def test_a_chain_that_does_not_go_on(
    tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devchain_operations, "OVERDUE_SECONDS", 0.0)

    async def never(_: object) -> None: ...

    monkeypatch.setattr("packetcrypt.pool.devchain.Surprises.make_up_if_overdue", never)
    async with devchain_loopback(tmp_path, block_seconds=0.01, patience=1.0) as (chain, _):

        async def stands_still() -> bool:
            _, health = await read_health(session, url_of(chain))
            return not health["checks"]["chain"]["ok"]

        await until(stands_still)
        status, health = await read_health(session, url_of(chain))
    assert (status, health["status"]) == (200, "degraded")


async def test_a_disk_that_takes_nothing(
    tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr("packetcrypt.handler.disk_probe._write", full)
    async with devchain_loopback(tmp_path) as (chain, _):
        status, health = await read_health(session, url_of(chain))
    assert (status, health["status"]) == (503, "degraded")
    assert health["checks"]["disk"]["detail"] == "the disk takes nothing: No space left on device"


async def test_nothing_secret_is_said(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with devchain_loopback(tmp_path) as (chain, client):
        await client.configure_mining_payouts({ALICE: 1.0})
        texts = []
        for path in ("/health", "/metrics"):
            async with session.get(url_of(chain) + path) as reply:
                texts.append(await reply.text())
        paymaker_password = chain.settings.pool.paymaker_http_password
    for secret in (PASSWORD, paymaker_password, str(tmp_path), ALICE):
        assert not any(secret in text for text in texts)
