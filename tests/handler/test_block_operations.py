"""What a block handler tells its operator over real HTTP, after known shares and in known need."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from block_setup import PAY_TO, BlockLoopback, block_handler_settings, block_loopback
from block_shares import MinedShare, mine_share
from operations_reading import Metrics, assert_as_declared, read_health, read_metrics
from paymaker_stand_in import PASSWORD
from pktd_stand_in import Fault, pktd_stand_in

from packetcrypt.handler.block_operations import METRICS, SERVICE
from packetcrypt.handler.block_service import running_block_handler
from packetcrypt.handler.paylog import PayLog
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.pool.page_handlers import (
    HandlerKind,
    HandlerState,
    HandlerStatus,
    ask_handlers,
)

SEED = "a seed that nobody may see"
CLIENT = "192.0.2.7"
WAITING_SINCE = "packetcrypt_bh_paylogs_waiting_since_timestamp_seconds"


def url_of(pool: BlockLoopback) -> str:
    return f"http://127.0.0.1:{pool.handler.port}"


async def health_of(pool: BlockLoopback) -> tuple[int, dict[str, Any]]:
    return await read_health(pool.session, url_of(pool))


async def metrics_of(pool: BlockLoopback) -> Metrics:
    return await read_metrics(pool.session, url_of(pool))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)


def failing(health: dict[str, Any]) -> set[str]:
    return {name for name, check in health["checks"].items() if not check["ok"]}


async def until_failing(pool: BlockLoopback, *names: str) -> tuple[int, dict[str, Any]]:
    """The first health in which these checks fail, and no others."""
    last: list[tuple[int, dict[str, Any]]] = []

    async def is_so() -> bool:
        last.append(await health_of(pool))
        return failing(last[-1][1]) == set(names)

    await until(is_so)
    return last[-1]


async def test_a_handler_with_work_is_ok(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        status, health = await health_of(pool)
        prefixed, _ = await read_health(pool.session, f"{url_of(pool)}/bh0")
        height = pool.work.height
    assert (status, prefixed) == (200, 200)
    assert (health["service"], health["name"], health["status"]) == ("bh", "bh0", "ok")
    assert failing(health) == set()
    assert set(health["checks"]) == {
        "node", "master", "work", "listed", "paylogs", "disk", "queue",
    }  # fmt: skip
    assert health["checks"]["work"]["detail"] == f"shares of block {height} are taken"


async def test_the_pools_page_reads_it(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        asked = HandlerState(HandlerKind.BLOCK_SHARES, f"{url_of(pool)}/bh0")
        (working,) = await ask_handlers(pool.session, (asked,), 1)
        pool.pktd.faults["getbestblockhash"] = Fault(drops=True)
        await until_failing(pool, "node")
        (down,) = await ask_handlers(pool.session, (asked,), 2)
    assert (working.status, working.problems) == (HandlerStatus.OK, ())
    assert down.status is HandlerStatus.DOWN
    assert [problem.partition(":")[0] for problem in down.problems] == ["node"]


async def test_a_handler_without_a_master_is_starting(tmp_path: Path) -> None:
    async with pktd_stand_in() as pktd, aiohttp.ClientSession() as session:
        settings = block_handler_settings(tmp_path, "http://127.0.0.1:1", pktd.settings)
        async with running_block_handler(settings) as handler:
            status, health = await read_health(session, f"http://127.0.0.1:{handler.port}")
    assert (status, health["status"]) == (503, "starting")
    assert failing(health) == {"master", "work", "listed"}


async def test_work_stays_good_while_the_master_is_away(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.master.is_ready = False
        status, health = await until_failing(pool, "master")
        assert (status, health["status"]) == (200, "degraded")
        assert "the master has not answered for" in health["checks"]["master"]["detail"]
        pool.master.is_ready = True
        await until_failing(pool)


async def test_without_its_node_it_cannot_judge(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.pktd.faults["getbestblockhash"] = Fault(drops=True)
        status, health = await until_failing(pool, "node")
        assert (status, health["status"]) == (503, "degraded")
        pool.pktd.faults.clear()
        status, _ = await until_failing(pool)
        assert status == 200


async def test_a_handler_that_is_not_listed_is_of_no_use(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        config = pool.master.config
        pool.master.config = replace(config, submit_block_urls=("http://pool.example/bh1/submit",))
        status, health = await until_failing(pool, "listed")
        assert (status, health["status"]) == (503, "degraded")
        pool.master.config = config
        await until_failing(pool)


async def test_pay_logs_that_wait_are_trouble(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        pool.paymaker.answer = "internal error"
        await pool.post(mine_share(pool.work))
    (paylog,) = pool.settings.workdir.glob("paylogs/*")
    an_hour_ago = time.time() - 3600
    os.utime(paylog, (an_hour_ago, an_hour_ago))

    async with block_loopback(tmp_path, paylog_seconds=60.0) as pool:
        status, health = await health_of(pool)
        metrics = await metrics_of(pool)
    assert (status, health["status"]) == (200, "degraded")
    assert failing(health) == {"paylogs"}
    assert metrics.value("packetcrypt_bh_paylogs_waiting") == 1
    assert metrics.value(WAITING_SINCE) == pytest.approx(an_hour_ago, abs=1)


async def test_a_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr("packetcrypt.handler.disk_probe._write", full)
    async with block_loopback(tmp_path) as pool:
        status, health = await health_of(pool)
        metrics = await metrics_of(pool)
    assert (status, failing(health)) == (503, {"disk"})
    assert str(tmp_path) not in str(health)
    assert metrics.labels("packetcrypt_bh_disk_free_bytes") == []


async def test_a_full_queue_is_trouble(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, input_queue_len=1) as pool:
        pool.pktd.opened.clear()
        post = asyncio.create_task(pool.post(mine_share(pool.work)))
        await pool.pktd.asked("checkpcshare")
        status, health = await health_of(pool)
        metrics = await metrics_of(pool)
        pool.pktd.opened.set()
        await post
    assert status == 200
    assert "queue" in failing(health)
    assert health["checks"]["queue"]["detail"] == "1 of 1 shares are judged or wait for it"
    assert metrics.value("packetcrypt_bh_queued") == 1


async def test_metrics_after_known_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with block_loopback(tmp_path) as pool:
        stale = mine_share(pool.work)
        pool.chain.add_made_up_block()
        await pool.master.publish(pool.chain)
        await pool.master.told()
        good, other, unwritten = [mine_share(pool.work, nonce=nonce) for nonce in range(3)]
        block = mine_share(pool.work, is_block=True)

        statuses = [(await pool.post(share)).status for share in (good, good, stale)]
        statuses.append((await pool.post_body(b"", {"x-pc-payto": PAY_TO})).status)
        pool.pktd.once["checkpcshare"] = Fault(error=(-1, "rejected: PCP_X"))
        statuses.append((await pool.post(other)).status)
        with monkeypatch.context() as patched:
            patched.setattr(PayLog, "append", _full)
            statuses.append((await pool.post(unwritten)).status)
        statuses.append((await pool.post(block)).status)
        height = pool.work.height - 1  # the block that was just found is in the chain
        metrics = await metrics_of(pool)

    assert statuses == [200, 200, 400, 400, 400, 500, 200]
    shares = "packetcrypt_bh_shares_total"
    results = {label["result"]: metrics.value(shares, **label) for label in metrics.labels(shares)}
    assert results == {
        "accepted": 2,
        "duplicate": 1,
        "stale": 1,
        "invalid": 1,
        "rejected": 1,
        "failed": 1,
        "overloaded": 0,
    }
    assert metrics.value("packetcrypt_bh_blocks_total") == 1
    assert metrics.value("packetcrypt_bh_block_height") == height
    assert metrics.value("packetcrypt_bh_queued") == 0
    assert metrics.value("packetcrypt_bh_clients") == 0
    assert metrics.value("packetcrypt_bh_node_polls_total", outcome="answered") >= 1
    assert metrics.value("packetcrypt_bh_node_polls_total", outcome="failed") == 0
    assert metrics.value("packetcrypt_bh_master_polls_total", outcome="answered") >= 2
    assert metrics.value("packetcrypt_bh_disk_free_bytes") > 0
    requests = "packetcrypt_bh_request_seconds_count"
    assert metrics.value(requests, route="POST /submit", status="200") == 3
    assert metrics.value(requests, route="POST /submit", status="400") == 3
    assert_as_declared(metrics, (*common_metrics(SERVICE), *METRICS))
    declared = {metric.name for metric in METRICS}
    assert declared - metrics.families.keys() == {WAITING_SINCE}


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


async def test_metrics_at_an_address_of_their_own(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, private_bind="127.0.0.1:0") as pool:
        private = f"http://127.0.0.1:{pool.handler.private_port}"
        assert private != url_of(pool)
        async with pool.session.get(f"{url_of(pool)}/metrics") as response:
            assert response.status == 404
        await read_metrics(pool.session, private)
        for base in (url_of(pool), private):
            assert (await read_health(pool.session, base))[0] == 200
            async with pool.session.get(f"{base}/submit") as response:
                assert response.status == 405


async def test_nothing_secret_is_said(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, private_seed=SEED) as pool:
        pool.pktd.faults["getbestblockhash"] = Fault(drops=True)
        await until_failing(pool, "node")
        texts = [
            await (await pool.session.get(url_of(pool) + path)).text()
            for path in ("/health", "/metrics")
        ]
    pktd = pool.settings.pktd
    for secret in (PASSWORD, SEED, pktd.password, pktd.url, str(tmp_path)):
        assert not any(secret in text for text in texts)


def _trusting(pool: PoolSettings) -> PoolSettings:
    return replace(pool, trusted_proxies=("127.0.0.1",))


async def _post_from(pool: BlockLoopback, url: str, client: str, share: MinedShare) -> int:
    headers = {"x-pc-payto": PAY_TO, "X-Forwarded-For": client}
    async with pool.session.post(
        f"{url}/submit", data=share.post.encode(), headers=headers
    ) as response:
        if response.status == 501:
            assert (await response.json())["error"] == ["overloaded"]
        return response.status


def _known_clients(metrics: Metrics) -> tuple[float, float, float]:
    overloaded = metrics.value("packetcrypt_bh_shares_total", result="overloaded")
    clients = metrics.value("packetcrypt_bh_clients")
    return clients, metrics.value("packetcrypt_bh_client_limit_total"), overloaded


async def test_one_client_has_so_many_shares_under_way(tmp_path: Path) -> None:
    async with block_loopback(tmp_path / "plain") as pool:
        settings = replace(
            pool.settings,
            pool=_trusting(replace(pool.settings.pool, root_workdir=tmp_path / "limited")),
            max_waiting_per_client=2,
        )
        async with running_block_handler(settings) as handler:
            url = f"http://127.0.0.1:{handler.port}"
            shares = [mine_share(pool.work, nonce=nonce) for nonce in range(4)]
            pool.pktd.opened.clear()
            posts = [
                asyncio.create_task(_post_from(pool, url, CLIENT, share)) for share in shares[:2]
            ]
            await pool.pktd.asked("checkpcshare", 2)
            third = await _post_from(pool, url, CLIENT, shares[2])
            other = asyncio.create_task(_post_from(pool, url, "192.0.2.8", shares[3]))
            await pool.pktd.asked("checkpcshare", 3)
            meanwhile = _known_clients(await read_metrics(pool.session, url))
            pool.pktd.opened.set()
            statuses = [await post for post in (*posts, other)]
            later = await _post_from(pool, url, CLIENT, shares[2])
            after = _known_clients(await read_metrics(pool.session, url))

    assert (third, statuses, later) == (501, [200, 200, 200], 200)
    assert (meanwhile, after) == ((2, 1, 1), (0, 1, 1))


async def test_this_machine_is_no_client(tmp_path: Path) -> None:
    async with block_loopback(tmp_path, max_waiting_per_client=1) as pool:
        pool.pktd.opened.clear()
        # Without trusted proxies what the header says has no effect.
        posts = [
            asyncio.create_task(
                _post_from(pool, url_of(pool), CLIENT, mine_share(pool.work, nonce=nonce))
            )
            for nonce in range(3)
        ]
        await pool.pktd.asked("checkpcshare", 3)
        pool.pktd.opened.set()
        assert [await post for post in posts] == [200, 200, 200]
