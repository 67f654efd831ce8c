"""What a paymaker tells its operator over real HTTP, and who may upload to it."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from operations_reading import assert_as_declared, read_health, read_metrics
from paymaker_setup import (
    ALICE,
    BOB,
    PaymakerUser,
    anns,
    block,
    body,
    paymaker,
    share,
)
from paymaker_stand_in import PASSWORD
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.http import basic_authorization
from packetcrypt.client.paymaker import PaymakerClient
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.pool import paymaker_operations
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_intake import WAITING_MAX
from packetcrypt.pool.paymaker_operations import METRICS, SERVICE
from packetcrypt.pool.paymaker_report import who_to_pay
from packetcrypt.protocol.errors import PoolError

TELL = "configureminingpayouts"
HEADERS = {"Authorization": basic_authorization("x", PASSWORD)}
OPEN_PATHS = ("/whotopay", "/blocks", "/stats", "/health")


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as node:
        yield node


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packetcrypt.pool.paymaker._LOOK_SECONDS", 0.02)


@pytest.fixture
def now() -> int:
    return milliseconds_now() - 600_000


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)


async def health_with(user: PaymakerUser, check: str, ok: bool) -> tuple[int, dict[str, Any]]:
    """What /health says as soon as a check is so."""
    answers = []

    async def is_so() -> bool:
        answers.append(await read_health(user.session, user.url))
        return bool(answers[-1][1]["checks"][check]["ok"]) is ok

    await until(is_so)
    return answers[-1]


def hide_shares(ledger: Path, *, is_hidden: bool) -> None:
    """While they are hidden, no upload with a share can be written."""
    names = ("shares", "hidden") if is_hidden else ("hidden", "shares")
    with sqlite3.connect(ledger) as other:
        other.execute("ALTER TABLE {} RENAME TO {}".format(*names))
    other.close()


async def post_events(session: aiohttp.ClientSession, url: str, log: bytes) -> int:
    async with session.post(url, data=log, headers=HEADERS) as reply:
        await reply.read()
        return reply.status


async def test_a_paymaker_with_a_node_is_ok(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path, public_url="http://pool.example/paymaker") as user:
        status, health = await health_with(user, "payout", True)
        prefixed, _ = await read_health(user.session, f"{user.url}/paymaker")
    assert (status, prefixed) == (200, 200)
    assert (health["service"], health["name"], health["status"]) == ("paymaker", "", "ok")
    assert {name: check["ok"] for name, check in health["checks"].items()} == {
        "node": True,
        "payout": True,
        "ledger": True,
        "uploads": True,
        "disk": True,
    }


async def test_without_its_node_it_takes_events(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    node.faults[TELL] = Fault(drops=True)
    async with paymaker(node, tmp_path, update_cycle=0.05) as user:
        status, health = await health_with(user, "node", False)
        assert (status, health["status"]) == (200, "degraded")
        assert "has taken no payout yet" in health["checks"]["payout"]["detail"]
        assert (await user.upload(body(share(ALICE, now))))[0] == 200
        node.faults.clear()
        status, health = await health_with(user, "payout", True)
        assert (status, health["status"]) == (200, "ok")


async def test_a_payout_gets_old(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path, update_cycle=0.05) as user:
        await health_with(user, "payout", True)
        node.faults[TELL] = Fault(drops=True)
        _, health = await health_with(user, "payout", False)
        assert "took a payout" in health["checks"]["payout"]["detail"]
        assert health["status"] == "degraded"


async def test_error_address_is_trouble(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake in a rule")

    monkeypatch.setattr("packetcrypt.pool.paymaker_reckoning.who_to_pay", fail)
    async with paymaker(node, tmp_path, update_cycle=0.05) as user:

        async def is_told() -> bool:
            _, health = await read_health(user.session, user.url)
            return "error_address" in health["checks"]["payout"]["detail"]

        await until(is_told)
        status, health = await read_health(user.session, user.url)
        assert (status, health["status"]) == (200, "degraded")
        assert health["checks"]["node"]["ok"]
        metrics = await read_metrics(user.session, user.url)
        monkeypatch.setattr("packetcrypt.pool.paymaker_reckoning.who_to_pay", who_to_pay)
        await health_with(user, "payout", True)
    payouts = "packetcrypt_paymaker_payouts_total"
    assert metrics.value(payouts, outcome="error_address") >= 1
    assert metrics.value(payouts, outcome="told") == 0


async def test_a_ledger_that_cannot_be_written(
    node: PktdStandIn, tmp_path: Path, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = body(share(ALICE, now))
    async with paymaker(node, tmp_path) as user:
        await health_with(user, "payout", True)
        hide_shares(user.paymaker.settings.ledger, is_hidden=True)
        assert (await user.upload(log))[0] == 500
        status, health = await read_health(user.session, user.url)
        assert (status, health["status"]) == (503, "degraded")
        assert "could not be written" in health["checks"]["ledger"]["detail"]
        # Long afterwards nobody knows, and a proxy may send handlers again.
        monkeypatch.setattr(paymaker_operations, "FAILURE_SECONDS", -1.0)
        status, health = await read_health(user.session, user.url)
        assert (status, health["status"]) == (200, "degraded")
        hide_shares(user.paymaker.settings.ledger, is_hidden=False)
        assert (await user.upload(log))[0] == 200
        status, health = await read_health(user.session, user.url)
        assert (status, health["status"]) == (200, "ok")


async def test_a_disk_that_takes_nothing(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr("packetcrypt.handler.disk_probe._write", full)
    async with paymaker(node, tmp_path) as user:
        status, health = await read_health(user.session, user.url)
        metrics = await read_metrics(user.session, user.url)
    assert (status, health["status"]) == (503, "degraded")
    assert health["checks"]["disk"]["detail"] == "the disk takes nothing: No space left on device"
    assert "packetcrypt_paymaker_disk_free_bytes" not in {name for name, _ in metrics.samples}


async def test_uploads_that_wait(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    finish = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b""
        yield body(share(ALICE, now))[:10]
        await finish.wait()

    async with paymaker(node, tmp_path) as user:
        await health_with(user, "payout", True)
        uploads = [asyncio.create_task(user.upload(slow())) for _ in range(WAITING_MAX)]
        _, health = await health_with(user, "uploads", False)
        assert health["checks"]["uploads"]["detail"] == "8 of 8 places are taken"
        assert (await user.upload(b""))[0] == 503
        metrics = await read_metrics(user.session, user.url)
        finish.set()
        await asyncio.gather(*uploads)
        await health_with(user, "uploads", True)
    assert metrics.value("packetcrypt_paymaker_uploads_waiting") == WAITING_MAX
    assert metrics.value("packetcrypt_paymaker_uploads_total", outcome="overloaded") == 1


async def test_metrics_after_known_traffic(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    before = milliseconds_now() / 1000
    log = body(
        block(now, 1.0), share(ALICE, now + 1), share(BOB, now + 2), share(ALICE, now + 3)
    ) + body(anns(ALICE, now + 4), anns(BOB, now + 5))
    async with paymaker(node, tmp_path) as user:
        await health_with(user, "payout", True)
        assert (await user.upload(log))[0] == 200
        assert (await user.upload(log))[0] == 200
        assert (await user.upload(body(share(ALICE, now + 1)) + b"no event\n{}\n"))[0] == 200
        hide_shares(user.paymaker.settings.ledger, is_hidden=True)
        assert (await user.upload(body(share(BOB, now + 9))))[0] == 500
        hide_shares(user.paymaker.settings.ledger, is_hidden=False)
        assert (await user.upload(b"", password="guess"))[0] == 401
        for path in ("/whotopay", "/whotopay?maxtime=x", "/events", "/elsewhere"):
            await user.get(path)
        metrics = await read_metrics(user.session, user.url)
    value = metrics.value
    uploads = "packetcrypt_paymaker_uploads_total"
    outcomes = {"new": 2, "replay": 1, "failed": 1, "overloaded": 0}
    assert {outcome: value(uploads, outcome=outcome) for outcome in outcomes} == outcomes
    events = {"anns": 2, "share": 3, "block": 1}
    for name in ("packetcrypt_paymaker_events_total", "packetcrypt_paymaker_memory_events"):
        assert {kind: value(name, type=kind) for kind in events} == events
    assert value("packetcrypt_paymaker_repeated_events_total") == 1
    assert value("packetcrypt_paymaker_refused_lines_total") == 2
    assert value("packetcrypt_paymaker_memory_addresses") == 2
    assert value("packetcrypt_paymaker_uploads_waiting") == 0
    payouts = {"told": 1, "error_address": 0, "failed": 0}
    name = "packetcrypt_paymaker_payouts_total"
    assert {outcome: value(name, outcome=outcome) for outcome in payouts} == payouts
    told_at = value("packetcrypt_paymaker_last_payout_timestamp_seconds")
    assert before <= told_at <= milliseconds_now() / 1000
    assert value("packetcrypt_paymaker_node_calls_total", outcome="answered") == 1
    assert value("packetcrypt_paymaker_node_calls_total", outcome="failed") == 0
    assert value("packetcrypt_paymaker_check_ok", check="ledger") == 0
    requests = "packetcrypt_paymaker_request_seconds_count"
    assert value(requests, route="POST /events", status="200") == 3
    assert value(requests, route="POST /events", status="500") == 1
    assert value(requests, route="POST /events", status="401") == 1
    assert value(requests, route="GET /whotopay", status="400") == 1
    assert value(requests, route="other", status="404") == 1
    assert value(requests, route="other", status="405") == 1
    assert_as_declared(metrics, (*common_metrics(SERVICE), *METRICS))
    assert metrics.families.keys() >= {metric.name for metric in METRICS}


async def test_failed_payouts_are_counted(node: PktdStandIn, tmp_path: Path) -> None:
    node.once[TELL] = Fault(drops=True)
    async with paymaker(node, tmp_path) as user:

        async def is_counted() -> bool:
            metrics = await read_metrics(user.session, user.url)
            return metrics.value("packetcrypt_paymaker_payouts_total", outcome="failed") == 1

        await until(is_counted)
        metrics = await read_metrics(user.session, user.url)
        _, health = await read_health(user.session, user.url)
    assert not health["checks"]["node"]["ok"]
    assert metrics.value("packetcrypt_paymaker_payouts_total", outcome="failed") == 1
    assert metrics.value("packetcrypt_paymaker_node_calls_total", outcome="failed") == 1


@pytest.mark.parametrize("prefix", ["", "/paymaker"])
async def test_events_are_taken_at_the_private_address_only(
    node: PktdStandIn, tmp_path: Path, now: int, prefix: str
) -> None:
    changes = {"private_bind": "127.0.0.1:0", "public_url": "http://pool.example/paymaker"}
    async with paymaker(node, tmp_path, **changes) as user:
        assert user.paymaker.private_port != user.paymaker.port
        private = f"http://127.0.0.1:{user.paymaker.private_port}"
        log = body(share(ALICE, now))
        # With the right password, too: from outside there is no such thing.
        assert await post_events(user.session, f"{user.url}{prefix}/events", log) == 404
        assert user.paymaker.statistics.uploads == 0
        assert await post_events(user.session, f"{private}{prefix}/events", log) == 200
        assert user.paymaker.statistics.shares == 1


async def test_a_handlers_uploader_and_the_private_address(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    async with paymaker(node, tmp_path, private_bind="127.0.0.1:0") as user:
        private = f"http://127.0.0.1:{user.paymaker.private_port}"
        await PaymakerClient(user.session, private, PASSWORD, 10).upload(body(anns(ALICE, now)))
        with pytest.raises(PoolError, match="404"):
            await PaymakerClient(user.session, user.url, PASSWORD, 10).upload(body(anns(BOB, now)))
        assert user.paymaker.statistics.announcement_posts == 1


async def test_what_answers_where_with_a_private_address(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path, private_bind="127.0.0.1:0") as user:
        private = f"http://127.0.0.1:{user.paymaker.private_port}"
        async with user.session.get(f"{user.url}/metrics") as reply:
            assert reply.status == 404
        await read_metrics(user.session, private)
        for base in (user.url, private):
            for path in OPEN_PATHS:
                async with user.session.get(base + path) as reply:
                    assert reply.status == 200, (base, path)
        async with user.session.post(f"{private}/events", data=b"") as reply:
            assert reply.status == 401


async def test_without_a_private_address_one_has_all(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    async with paymaker(node, tmp_path) as user:
        assert user.paymaker.private_port == user.paymaker.port
        assert (await user.upload(body(share(ALICE, now))))[0] == 200
        await read_metrics(user.session, user.url)


@pytest.mark.parametrize(("proxies", "named"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.7")])
async def test_whose_lines_are_no_events(
    node: PktdStandIn,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    proxies: tuple[str, ...],
    named: str,
) -> None:
    caplog.set_level(logging.INFO)
    pool = PoolSettings(
        master_url="http://pool.example/master",
        root_workdir=tmp_path,
        paymaker_http_password=PASSWORD,
        trusted_proxies=proxies,
    )
    headers = {**HEADERS, "X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    async with (
        paymaker(node, tmp_path, pool=pool) as user,
        user.session.post(f"{user.url}/events", data=b"x\n", headers=headers) as reply,
    ):
        assert reply.status == 200
    assert f"a pay log from {named} has lines" in caplog.text


async def test_nothing_secret_is_said(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    seed = "a seed that nobody may see"
    node.faults[TELL] = Fault(drops=True)
    pool = PoolSettings(
        master_url="http://pool.example/master",
        root_workdir=tmp_path,
        paymaker_http_password=PASSWORD,
        private_seed=seed,
    )
    async with paymaker(node, tmp_path, pool=pool) as user:
        hide_shares(user.paymaker.settings.ledger, is_hidden=True)
        assert (await user.upload(body(share(ALICE, now))))[0] == 500
        await health_with(user, "node", False)
        texts = []
        for path in ("/health", "/metrics"):
            async with user.session.get(user.url + path) as reply:
                texts.append(await reply.text())
    for secret in (PASSWORD, seed, node.settings.password, node.settings.url, str(tmp_path), ALICE):
        assert not any(secret in text for text in texts)
