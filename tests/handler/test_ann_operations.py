"""What an announcement handler tells its operator over real HTTP, with posts that are known."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from handler_announcements import KNOWN_JOBS, UNSIGNED, KnownJob
from handler_plain_checker import PlainChecker
from handler_setup import Loopback, loopback
from operations_reading import Metrics, assert_as_declared, read_health, read_metrics
from paymaker_stand_in import PASSWORD

from packetcrypt.engine import AnnouncementChecker, DeviceInfo
from packetcrypt.engine.opening import open_kernels
from packetcrypt.handler import service
from packetcrypt.handler.ann_operations import METRICS, SERVICE
from packetcrypt.handler.service import running_ann_handler
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.kernels.interface import AnnouncementKernels, CheckedAnnouncements
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.pool.page_handlers import HandlerStatus, decode_health
from packetcrypt.protocol.errors import DeviceError

BLOCK_MINERS_PASSWORD = "a password that nobody may see"
SPRAYER_PASSWORD = "another that nobody may see"
SPRAYER = SprayerSettings(passwd=SPRAYER_PASSWORD, bind="127.0.0.1:0")
ALL_METRICS = (*common_metrics(SERVICE), *METRICS)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)


async def until_status(pool: Loopback, status: int, word: str) -> dict[str, Any]:
    """Health, once it is that."""
    health: dict[str, Any] = {}

    async def is_so() -> bool:
        nonlocal health
        answered, health = await read_health(pool.session, pool.url)
        return (answered, health["status"]) == (status, word)

    await until(is_so)
    return health


async def metrics_of(pool: Loopback) -> Metrics:
    return await read_metrics(pool.session, pool.url)


async def test_a_handler_that_takes_posts_is_ok(pool: Loopback) -> None:
    status, health = await read_health(pool.session, pool.url)
    prefixed, _ = await read_health(pool.session, f"{pool.url}/ah0")

    assert (status, prefixed) == (200, 200)
    assert (health["service"], health["name"], health["status"]) == ("ah", "ah0", "ok")
    assert {name: check["ok"] for name, check in health["checks"].items()} == {
        "devices": True,
        "master": True,
        "pool": True,
        "queue": True,
        "paylogs": True,
        "disk": True,
    }
    assert health["checks"]["pool"]["detail"] == (
        "this is handler 0 of 1, and the tip is block 1000003"
    )


async def test_the_pool_page_understands_it(pool: Loopback) -> None:
    _, body = await pool.get("/ah0/health")

    assert decode_health(body) == (HandlerStatus.OK, ())


async def test_before_the_master_answers_it_is_starting(tmp_path: Path) -> None:
    checker = PlainChecker()
    async with loopback(tmp_path, checker) as pool:
        pool.master.is_ready = False
        changed = {"name": "ah1", "public_url": "http://pool.example/ah1"}
        settings = type(pool.settings)(**{**vars(pool.settings), **changed})
        async with running_ann_handler(settings, checker=checker) as handler:
            url = f"http://127.0.0.1:{handler.port}"
            status, health = await read_health(pool.session, url)
            metrics = await read_metrics(pool.session, url)
    checker.close()

    assert (status, health["status"]) == (503, "starting")
    assert not health["checks"]["master"]["ok"]
    assert not health["checks"]["pool"]["ok"]
    assert metrics.value("packetcrypt_ah_healthy") == 0
    assert "packetcrypt_ah_parent_height" not in metrics.families


async def test_it_works_on_while_the_master_is_away(pool: Loopback) -> None:
    pool.master.is_ready = False
    health = await until_status(pool, 200, "degraded")
    assert "has not answered for" in health["checks"]["master"]["detail"]
    assert health["checks"]["pool"]["ok"]

    pool.master.is_ready = True
    await until_status(pool, 200, "ok")


async def test_one_that_the_master_does_not_list_cannot_work(pool: Loopback) -> None:
    listed = pool.master.config
    pool.master.config = type(listed)(**{**vars(listed), "submit_ann_urls": ("http://a/submit",)})
    health = await until_status(pool, 503, "degraded")
    assert health["checks"]["pool"]["detail"] == "the master does not list this handler"
    assert health["checks"]["master"]["ok"]

    pool.master.config = listed
    await until_status(pool, 200, "ok")


async def test_without_a_device_it_cannot_work(tmp_path: Path) -> None:
    checker = PlainChecker()
    async with loopback(tmp_path, checker) as pool:
        checker.broken, checker.working_devices = True, 0
        status, health = await read_health(pool.session, pool.url)
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)
        metrics = await metrics_of(pool)
    checker.close()

    assert (status, health["status"]) == (503, "degraded")
    assert not health["checks"]["devices"]["ok"]
    assert reply.status == 500
    assert metrics.value("packetcrypt_ah_devices") == 1
    assert metrics.value("packetcrypt_ah_devices_working") == 0
    assert metrics.value("packetcrypt_ah_batches_failed_total") == 1
    assert metrics.value("packetcrypt_ah_announcements_total", outcome="internal_error") == 3
    assert metrics.value("packetcrypt_ah_announcements_total", outcome="accepted") == 0


async def test_the_engines_checker_says_that_its_device_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = False

    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        kernels = open_kernels(device, threads)
        check = kernels.check

        def check_while_plugged(*arguments: Any) -> CheckedAnnouncements:
            if broken:
                raise DeviceError("the device was unplugged")
            return check(*arguments)

        kernels.check = check_while_plugged  # type: ignore[method-assign]
        return kernels

    checker = partial(AnnouncementChecker, opener=opener)
    monkeypatch.setattr(service, "AnnouncementChecker", checker)
    async with loopback(tmp_path, has_own_checker=True, devices="cpu") as pool:
        before, _ = await read_health(pool.session, pool.url)
        broken = True
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
        health = await until_status(pool, 503, "degraded")

    assert before == 200
    assert health["checks"]["devices"] == {
        "ok": False,
        "detail": "no device can check announcements any more",
    }


async def test_a_full_queue_is_told(tmp_path: Path) -> None:
    checker = PlainChecker()
    checker.open.clear()
    async with loopback(tmp_path, checker, input_queue_len=1) as pool:
        posts = []
        unused = iter(UNSIGNED.announcements)  # a duplicate would be answered at once

        async def is_full() -> bool:
            # Two are taken from the queue, the next one stays.
            if announcement := next(unused, None):
                posts.append(asyncio.create_task(pool.post(UNSIGNED, announcement)))
                await asyncio.sleep(0.05)  # so that it is taken before the next one comes
            metrics = await metrics_of(pool)
            return metrics.value("packetcrypt_ah_posts_waiting") == 1

        await until(is_full)
        health = await until_status(pool, 200, "degraded")
        checker.open.set()
        await asyncio.gather(*posts)
        await until_status(pool, 200, "ok")
    checker.close()

    assert health["checks"]["queue"] == {"ok": False, "detail": "1 posts of 1 wait"}


async def test_pay_logs_that_wait_are_told(tmp_path: Path) -> None:
    # Late after twice the interval, and the time that the paymaker has to answer.
    changes = {"paylog_seconds": 0.05, "paymaker_timeout": 0.2}
    async with loopback(tmp_path, **changes) as pool:
        pool.paymaker.answer = "internal error"
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
        health = await until_status(pool, 200, "degraded")
        late = await metrics_of(pool)
        pool.paymaker.answer = "confirm"
        await until_status(pool, 200, "ok")
        paid = await metrics_of(pool)

    assert health["checks"]["paylogs"]["detail"].startswith("1 pay logs wait for the paymaker")
    since = "packetcrypt_ah_paylogs_waiting_since_timestamp_seconds"
    assert late.value("packetcrypt_ah_paylogs_waiting") == 1
    assert late.value(since) > 1_700_000_000
    assert late.value("packetcrypt_ah_paylog_failures_total") >= 1
    assert late.value("packetcrypt_ah_paylogs_uploaded_total") == 0
    assert paid.value("packetcrypt_ah_paylogs_waiting") == 0
    assert since not in paid.families
    assert paid.value("packetcrypt_ah_paylogs_uploaded_total") == 1


async def test_what_the_last_run_left_is_told_at_once(tmp_path: Path) -> None:
    async with loopback(tmp_path) as pool:
        pool.paymaker.password = "another"
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
    async with loopback(tmp_path) as pool:
        metrics = await metrics_of(pool)

    assert metrics.value("packetcrypt_ah_paylogs_waiting") == 1
    assert metrics.value("packetcrypt_ah_dedup_keys") == 3


async def test_a_disk_that_takes_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.handler.service.PROBE_SECONDS", 0.02)
    async with loopback(tmp_path) as pool:

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device", str(tmp_path))

        monkeypatch.setattr("packetcrypt.handler.disk_probe._write", full)
        health = await until_status(pool, 503, "degraded")

    assert health["checks"]["disk"]["detail"] == ("the disk takes nothing: No space left on device")


async def test_metrics_after_known_traffic(tmp_path: Path) -> None:
    async with loopback(tmp_path, file_announcements=1, sprayer=SPRAYER) as pool:
        one, two, three = UNSIGNED.announcements
        await pool.post(UNSIGNED, one, two)
        await pool.post(UNSIGNED, two, three, three[:-1] + b"!")
        await pool.post(UNSIGNED, one[:100])  # no whole announcements: refused
        await pool.post(UNSIGNED, x_pc_payto=None)
        await pool.session.get(f"{pool.url}/ah0/anns/index.json")
        await pool.get("/anns/anns_1000000_0_1.bin")
        await pool.get("/anns/anns_1_0_1.bin")
        metrics = await metrics_of(pool)

    def value(name: str, **labels: str) -> float:
        return metrics.value(f"packetcrypt_ah_{name}", **labels)

    assert {
        outcome: value("announcements_total", outcome=outcome)
        for outcome in ("accepted", "duplicate", "invalid", "bad_hash", "internal_error")
    } == {"accepted": 3, "duplicate": 1, "invalid": 1, "bad_hash": 0, "internal_error": 0}
    assert {
        outcome: value("posts_total", outcome=outcome)
        for outcome in ("judged", "refused", "overloaded")
    } == {"judged": 2, "refused": 2, "overloaded": 0}
    assert value("post_bytes_total") >= 5 * 1024
    assert value("posts_waiting") == 0
    assert value("checks_total") == 4  # not the duplicate
    assert value("batches_failed_total") == 0
    assert value("parent_height") == 1000003
    assert value("dedup_keys") == 3
    assert value("dedup_tables") == 6
    assert value("files_offered") == value("newest_file") == 2
    assert value("disk_free_bytes") > 0
    assert value("connections") >= 1
    assert value("master_polls_total", outcome="failed") == 0
    assert value("master_polls_total", outcome="answered") >= 1
    assert value("sprayer_taken_total") == 0  # nobody listens
    assert value("check_ok", check="sprayer") == 1
    requests = "request_seconds_count"
    assert value(requests, route="POST /submit", status="200") == 2
    assert value(requests, route="POST /submit", status="400") == 2
    assert value(requests, route="GET /anns/index.json", status="200") == 1
    assert value(requests, route="GET /anns/{name}", status="200") == 1
    assert value(requests, route="GET /anns/{name}", status="404") == 1
    assert_as_declared(metrics, ALL_METRICS)


async def test_metrics_at_an_address_of_their_own(tmp_path: Path) -> None:
    async with loopback(tmp_path, private_bind="127.0.0.1:0") as pool:
        private = f"http://127.0.0.1:{pool.handler.private_port}"
        assert pool.handler.private_port != pool.handler.port
        public, _ = await pool.get("/metrics")
        await read_metrics(pool.session, private)
        for base in (pool.url, private):
            assert (await read_health(pool.session, base))[0] == 200
            async with pool.session.get(f"{base}/anns/index.json") as response:
                assert response.status == 200

    assert public == 404


async def test_nothing_secret_is_said(tmp_path: Path) -> None:
    changes = {"block_miner_passwd": BLOCK_MINERS_PASSWORD, "sprayer": SPRAYER}
    async with loopback(tmp_path, **changes) as pool:
        pool.master.is_ready = False
        await until_status(pool, 200, "degraded")
        texts = [(await pool.get(path))[1].decode() for path in ("/health", "/metrics")]

    for secret in (PASSWORD, BLOCK_MINERS_PASSWORD, SPRAYER_PASSWORD, str(tmp_path)):
        assert not any(secret in text for text in texts)


class TestClientLimit:
    """Posts come through a proxy that is trusted, so that tests can be several clients."""

    @staticmethod
    def _posts(pool: Loopback, client: str | None, *jobs: KnownJob) -> list[asyncio.Task[int]]:
        """A post of each announcement: copies would be answered without being checked."""

        async def post(job: KnownJob, announcement: bytes) -> int:
            header = {} if client is None else {"X_Forwarded_For": client}
            return (await pool.post(job, announcement, **header)).status

        return [asyncio.create_task(post(job, one)) for job in jobs for one in job.announcements]

    async def test_a_client_has_its_share_and_others_theirs(self, tmp_path: Path) -> None:
        checker = PlainChecker()
        checker.open.clear()
        async with loopback(
            tmp_path, checker, trusted_proxies=("127.0.0.1",), max_waiting_per_client=3
        ) as pool:
            other = self._posts(pool, "192.0.2.8", KNOWN_JOBS[3])

            async def is_here() -> bool:
                return (await metrics_of(pool)).value("packetcrypt_ah_clients") == 1

            await until(is_here)
            greedy = self._posts(pool, "192.0.2.7", *KNOWN_JOBS[:3])

            async def six_are_refused() -> bool:
                metrics = await metrics_of(pool)
                return metrics.value("packetcrypt_ah_client_limit_total") == 6

            await until(six_are_refused)
            both = await metrics_of(pool)
            checker.open.set()
            statuses = await asyncio.gather(*greedy)
            others = await asyncio.gather(*other)
            metrics = await metrics_of(pool)
        checker.close()

        assert both.value("packetcrypt_ah_clients") == 2
        assert sorted(statuses) == [200] * 3 + [503] * 6
        assert others == [200] * 3
        assert metrics.value("packetcrypt_ah_posts_total", outcome="overloaded") == 6
        assert metrics.value("packetcrypt_ah_posts_total", outcome="judged") == 6
        assert metrics.value("packetcrypt_ah_clients") == 0

    @pytest.mark.parametrize("proxies", [(), ("127.0.0.1",)])
    async def test_who_is_not_known_is_not_limited(
        self, tmp_path: Path, proxies: tuple[str, ...]
    ) -> None:
        # Without the setting the header is not believed; with it, the proxy itself asks.
        client = None if proxies else "192.0.2.7"
        async with loopback(tmp_path, trusted_proxies=proxies, max_waiting_per_client=1) as pool:
            statuses = await asyncio.gather(*self._posts(pool, client, *KNOWN_JOBS))
            metrics = await metrics_of(pool)

        assert statuses == [200] * 12
        assert metrics.value("packetcrypt_ah_client_limit_total") == 0

    async def test_a_body_that_does_not_come_takes_a_place(self, tmp_path: Path) -> None:
        async with loopback(
            tmp_path, trusted_proxies=("127.0.0.1",), max_waiting_per_client=1
        ) as pool:
            _, writer = await asyncio.open_connection("127.0.0.1", pool.handler.port)
            writer.write(
                b"POST /submit HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"
                b"x-pc-payto: pkt1a\r\nx-pc-sver: 1\r\nx-pc-annver: 1\r\n"
                + f"x-pc-worknum: {UNSIGNED.work_number}\r\n".encode()
                + b"Content-Length: 1024\r\n\r\n"
            )

            async def is_here() -> bool:
                return (await metrics_of(pool)).value("packetcrypt_ah_clients") == 1

            await until(is_here)
            statuses = await asyncio.gather(*self._posts(pool, "192.0.2.7", UNSIGNED))
            writer.close()

        assert statuses == [503] * 3
