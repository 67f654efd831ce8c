"""What a master tells its operator over real HTTP, while its node comes, goes and finds blocks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from operations_reading import assert_as_declared, read_health, read_metrics
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.pool.master import Master, running_master
from packetcrypt.pool.master_operations import METRICS, SERVICE
from packetcrypt.pool.master_settings import MasterSettings

PASSWORD = "a password that nobody may see"
SEED = "a seed that nobody may see"


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as node:
        yield node


@asynccontextmanager
async def master(
    node: PktdStandIn, folder: Path, **changes: Any
) -> AsyncIterator[tuple[Master, str, aiohttp.ClientSession]]:
    settings = MasterSettings(
        pool=PoolSettings(
            master_url="http://pool.example/master",
            root_workdir=folder,
            paymaker_http_password=PASSWORD,
            private_seed=SEED,
        ),
        pktd=node.settings,
        paymaker_url="http://pool.example/paymaker",
        bind="127.0.0.1:0",
        poll_interval=0.02,
    )
    async with (
        running_master(replace(settings, **changes)) as running,
        aiohttp.ClientSession() as session,
    ):
        yield running, f"http://127.0.0.1:{running.port}", session


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)


async def test_a_master_with_work_is_ok(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, url, session):
        status, health = await read_health(session, url)
        prefixed, _ = await read_health(session, f"{url}/master")
    assert (status, prefixed) == (200, 200)
    assert health["service"] == "master"
    assert health["name"] == ""
    assert health["status"] == "ok"
    assert health["uptime"] >= 0
    assert {name: check["ok"] for name, check in health["checks"].items()} == {
        "node": True,
        "work": True,
        "disk": True,
    }
    height = node.chain.tip.height + 1
    assert health["checks"]["work"]["detail"].startswith(f"block {height} is mined")


async def test_a_master_without_a_node_is_starting(node: PktdStandIn, tmp_path: Path) -> None:
    node.faults["getbestblockhash"] = Fault(drops=True)
    async with master(node, tmp_path) as (_, url, session):
        status, health = await read_health(session, url)
        assert (status, health["status"]) == (503, "starting")
        assert not health["checks"]["work"]["ok"]
        assert not health["checks"]["node"]["ok"]
        node.faults.clear()

        async def is_ok() -> bool:
            return (await read_health(session, url))[0] == 200

        await until(is_ok)


async def test_work_stays_good_while_the_node_is_away(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, url, session):
        assert (await read_health(session, url))[1]["status"] == "ok"
        node.faults["getbestblockhash"] = Fault(drops=True)

        async def is_degraded() -> bool:
            return bool((await read_health(session, url))[1]["status"] == "degraded")

        await until(is_degraded)
        status, health = await read_health(session, url)
    assert status == 200
    assert health["checks"]["work"]["ok"]
    assert "has not answered for" in health["checks"]["node"]["detail"]


async def test_work_that_cannot_be_stored_is_no_good_work(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    async with master(node, tmp_path) as (_, url, session):
        monkeypatch.setattr("packetcrypt.pool.work_files.replace_file", full)
        node.chain.add_made_up_block()

        async def is_behind() -> bool:
            return (await read_health(session, url))[0] == 503

        await until(is_behind)
        async with session.get(f"{url}/health") as response:
            text = await response.text()
        assert "cannot be stored" in text
        assert str(tmp_path) not in text
        monkeypatch.undo()

        async def is_ok() -> bool:
            return (await read_health(session, url))[0] == 200

        await until(is_ok)


async def test_metrics_after_known_traffic(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, url, session):
        height = node.chain.tip.height + 1
        waiting = asyncio.create_task(session.get(f"{url}/work_{height + 1}.bin"))

        async def waits() -> bool:
            metrics = await read_metrics(session, url)
            return metrics.value("packetcrypt_master_long_polls") == 1

        await until(waits)
        before = await read_metrics(session, url)
        node.chain.add_made_up_block()
        assert (await waiting).status == 200
        for path in ("/config.json", "/master/config.json", "/work_1.bin", "/elsewhere", "/x/y"):
            await session.get(url + path)
        await session.post(f"{url}/config.json")
        after = await read_metrics(session, url)

    assert before.value("packetcrypt_master_block_height") == height
    assert after.value("packetcrypt_master_block_height") == height + 1
    assert before.value("packetcrypt_master_works_published_total") == 1
    assert after.value("packetcrypt_master_works_published_total") == 2
    assert after.value("packetcrypt_master_long_polls") == 0
    assert after.value("packetcrypt_master_node_polls_total", outcome="answered") > 1
    assert after.value("packetcrypt_master_node_polls_total", outcome="failed") == 0
    assert after.value("packetcrypt_master_connections") >= 1
    assert after.value("packetcrypt_master_check_ok", check="node") == 1
    assert after.value("packetcrypt_master_healthy") == 1
    requests = "packetcrypt_master_request_seconds_count"
    assert after.value(requests, route="GET /config.json", status="200") == 2
    assert after.value(requests, route="GET /work_{height}.bin", status="200") == 1
    assert after.value(requests, route="GET /work_{height}.bin", status="404") == 1
    assert after.value(requests, route="other", status="404") == 2
    assert after.value(requests, route="other", status="405") == 1
    assert_as_declared(after, (*common_metrics(SERVICE), *METRICS))
    assert after.families.keys() >= {metric.name for metric in METRICS}
    assert "process_resident_memory_bytes" in after.families


async def test_made_up_paths_make_no_labels(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, url, session):
        for number in range(50):
            await session.get(f"{url}/made-up-{number}")
            await session.get(f"{url}/work_{number}.bin")
        for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
            await session.request(method, f"{url}/config.json")
        metrics = await read_metrics(session, url)
    labels = metrics.labels("packetcrypt_master_request_seconds_count")
    assert sorted((label["route"], label["status"]) for label in labels) == [
        ("GET /work_{height}.bin", "404"),
        ("other", "404"),
        ("other", "405"),
    ]


async def test_metrics_at_an_address_of_their_own(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path, private_bind="127.0.0.1:0") as (running, url, session):
        assert running.private_port != running.port
        private = f"http://127.0.0.1:{running.private_port}"
        async with session.get(f"{url}/metrics") as response:
            assert response.status == 404
        await read_metrics(session, private)
        for base in (url, private):
            assert (await read_health(session, base))[0] == 200
            async with session.get(f"{base}/config.json") as response:
                assert response.status == 200


async def test_nothing_secret_is_said(node: PktdStandIn, tmp_path: Path) -> None:
    node.faults["getbestblockhash"] = Fault(drops=True)
    async with master(node, tmp_path) as (_, url, session):
        texts = [await (await session.get(url + path)).text() for path in ("/health", "/metrics")]
    for secret in (PASSWORD, SEED, node.settings.password, str(tmp_path), node.settings.url):
        assert not any(secret in text for text in texts)
