"""What an announcement miner tells its operator over real HTTP, after known finds and answers."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from command_line import PAYMENT_ADDRESS
from miner_operations import answering_miner, until
from operations_reading import assert_as_declared, read_health, read_metrics
from pool_processes import free_port
from replay_engine import ReplayEngine
from scripted_pool import ReceivedPost, ScriptedPool, reply_to

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.statistics import DeviceState, DeviceStatistics, EngineStatistics
from packetcrypt.miner.ann_metrics import METRICS, SERVICE, announcement_operations
from packetcrypt.miner.announcement_miner import AnnouncementMiner, MinerTiming
from packetcrypt.miner.settings import AnnouncementMinerSettings
from packetcrypt.operations.endpoints import Operations, common_metrics

FAST = MinerTiming(poll=0.02, report=5.0, take=0.01, drain=0.01, flush=20.0)
GPU = DeviceInfo(DeviceKind.GPU, "A GPU", "platform", "driver", "0:0", 1, 1)
CPU = DeviceInfo(DeviceKind.CPU, "A CPU", "platform", "driver", "1:0", 1, 1)
ERROR = "no such file: /home/somebody/kernels.cl"
STATISTICS = EngineStatistics(
    (
        DeviceStatistics(
            device=GPU,
            state=DeviceState.MINING,
            nonces=5000,
            announcements=40,
            announced_work=5120,
            jobs=7,
            skipped_jobs=2,
            dropped=3,
            withheld=1,
            rechecked=4,
            busy_seconds=12.5,
        ),
        DeviceStatistics(CPU, DeviceState.FAILED, ERROR, nonces=10),
    )
)


class MinerParts:
    """A miner with an engine that finds what it is told, and statistics that a test sets."""

    def __init__(self, *urls: str) -> None:
        self.engine = ReplayEngine()
        self.statistics = STATISTICS
        settings = AnnouncementMinerSettings(payment_addr=PAYMENT_ADDRESS, pools=urls)
        self.miner = AnnouncementMiner(settings, self.engine, timing=FAST)

    @property
    def operations(self) -> Operations:
        return announcement_operations(self.miner, lambda: self.statistics)

    def enter(self, state: DeviceState) -> None:
        """Lets its only device have this state."""
        self.statistics = EngineStatistics((replace(STATISTICS.devices[0], state=state),))


async def until_status(
    session: aiohttp.ClientSession, url: str, wanted: tuple[int, str]
) -> dict[str, Any]:
    """The first health with this HTTP status and status."""
    last: list[dict[str, Any]] = []

    async def is_so() -> bool:
        status, health = await read_health(session, url)
        last.append(health)
        return (status, health["status"]) == wanted

    await until(is_so)
    return last[-1]


async def test_a_miner_that_mines_is_ok() -> None:
    async with ScriptedPool() as pool:
        parts = MinerParts(pool.url)
        parts.enter(DeviceState.MINING)
        async with answering_miner(parts.miner, parts.operations) as (session, url):
            health = await until_status(session, url, (200, "ok"))
    assert (health["service"], health["name"]) == ("ann", "")
    assert set(health["checks"]) == {"devices", "pools", "work"}
    assert health["checks"]["work"]["detail"] == "announcements for block 200000 are mined"


async def test_one_of_two_pools_and_one_of_two_devices_are_trouble() -> None:
    async with ScriptedPool() as pool:
        parts = MinerParts(pool.url, f"http://127.0.0.1:{free_port()}")
        async with answering_miner(parts.miner, parts.operations) as (session, url):
            health = await until_status(session, url, (200, "degraded"))
    details = {name: check["detail"] for name, check in health["checks"].items()}
    assert details["pools"] == "1 of 2 pools answer and have handlers"
    assert details["devices"] == "1 of 2 devices work, 1 failed"


async def test_no_pool_has_ever_answered() -> None:
    parts = MinerParts(f"http://127.0.0.1:{free_port()}")
    parts.enter(DeviceState.IDLE)
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        status, health = await read_health(session, url)
    assert (status, health["status"]) == (503, "starting")
    assert not health["checks"]["pools"]["ok"]


async def test_a_pool_that_went_away_does_not_stop_the_miner() -> None:
    async with ScriptedPool() as pool:
        parts = MinerParts(pool.url)
        parts.enter(DeviceState.MINING)
        async with answering_miner(parts.miner, parts.operations) as (session, url):
            await until_status(session, url, (200, "ok"))
            pool.master_answer = lambda _: web.Response(status=500)
            health = await until_status(session, url, (200, "degraded"))
            assert not health["checks"]["pools"]["ok"]
            pool.master_answer = None
            await until_status(session, url, (200, "ok"))


@pytest.mark.parametrize(
    ("state", "wanted"),
    [(DeviceState.STARTING, (503, "starting")), (DeviceState.FAILED, (503, "degraded"))],
)
async def test_without_a_device_nothing_is_mined(
    state: DeviceState, wanted: tuple[int, str]
) -> None:
    async with ScriptedPool() as pool:
        parts = MinerParts(pool.url)
        parts.enter(DeviceState.MINING)
        async with answering_miner(parts.miner, parts.operations) as (session, url):
            await until_status(session, url, (200, "ok"))
            parts.enter(state)
            await until_status(session, url, wanted)


async def test_metrics_after_known_answers() -> None:
    async with ScriptedPool() as generous, ScriptedPool() as strict:

        async def half(post: ReceivedPost) -> web.Response:
            return reply_to(post, post.count // 2)

        strict.on_post = half
        parts = MinerParts(generous.url, strict.url)
        async with answering_miner(parts.miner, parts.operations) as (session, url):
            await parts.engine.wait_for_work(lambda _: True)

            async def both_are_up() -> bool:
                metrics = await read_metrics(session, url)
                up = "packetcrypt_ann_pool_up"
                return all(metrics.value(up, **labels) for labels in metrics.labels(up))

            await until(both_are_up)
            parts.engine.find(1024, times=2)

            async def are_settled() -> bool:
                metrics = await read_metrics(session, url)
                counts = "packetcrypt_ann_pool_announcements_total"
                return sum(metrics.value(counts, **each) for each in metrics.labels(counts)) == 4096

            await until(are_settled)
            metrics = await read_metrics(session, url)

    def of_pools(name: str, /, **labels: str) -> list[float]:
        full = f"packetcrypt_ann_pool_{name}"
        return [metrics.value(full, pool=pool, **labels) for pool in ("0", "1")]

    assert of_pools("announcements_total", result="accepted") == [2048, 1024]
    assert of_pools("announcements_total", result="rejected") == [0, 1024]
    assert of_pools("announcements_total", result="overloaded") == [0, 0]
    assert of_pools("announcements_total", result="lost") == [0, 0]
    assert of_pools("sent_bytes_total") == [2 << 20, 2 << 20]
    assert of_pools("uploading") == [0, 0]
    assert of_pools("up", host="127.0.0.1") == [1, 1]
    assert metrics.value("packetcrypt_ann_parent_height") == 200_000

    def of_gpu(name: str, /, **labels: str) -> float:
        return metrics.value(f"packetcrypt_ann_device_{name}", device="0:0", **labels)

    assert of_gpu("hashes_total") == 5000
    assert of_gpu("announcements_total") == 40
    assert of_gpu("credited_hashes_total") == 5120
    assert of_gpu("withheld_total", reason="dropped") == 3
    assert of_gpu("withheld_total", reason="distrusted") == 1
    assert of_gpu("rechecked_total") == 4
    assert of_gpu("jobs_total", outcome="searched") == 7
    assert of_gpu("jobs_total", outcome="skipped") == 2
    assert of_gpu("busy_seconds_total") == 12.5
    assert of_gpu("info", name="A GPU", kind="gpu") == 1
    assert of_gpu("state", state="mining") == 1
    assert metrics.value("packetcrypt_ann_device_hashes_total", device="1:0") == 10
    assert metrics.value("packetcrypt_ann_device_state", device="1:0", state="failed") == 1
    assert_as_declared(metrics, (*common_metrics(SERVICE), *METRICS))
    assert metrics.families.keys() >= {metric.name for metric in METRICS}


async def test_an_upload_that_is_refused_or_fails() -> None:
    answers = [web.Response(status=503), web.Response(status=500)]

    async def refuse(_: ReceivedPost) -> web.Response:
        return answers.pop()

    async with ScriptedPool() as pool:
        pool.on_post = refuse
        parts = MinerParts(pool.url)
        async with answering_miner(parts.miner, parts.operations) as (session, url):
            await parts.engine.wait_for_work(lambda _: True)
            parts.engine.find(1024, times=2)
            counts = "packetcrypt_ann_pool_announcements_total"

            async def are_settled() -> bool:
                metrics = await read_metrics(session, url)
                return sum(metrics.value(counts, **each) for each in metrics.labels(counts)) == 2048

            await until(are_settled)
            metrics = await read_metrics(session, url)
    results = ("accepted", "rejected", "overloaded", "lost")
    assert [metrics.value(counts, pool="0", result=each) for each in results] == [0, 0, 1024, 1024]


async def test_nothing_private_is_said() -> None:
    parts = MinerParts(f"http://somebody:hunter2@127.0.0.1:{free_port()}/secret/master")
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        texts = [await (await session.get(url + path)).text() for path in ("/health", "/metrics")]
    for private in ("hunter2", "somebody", "/secret", ERROR, PAYMENT_ADDRESS):
        assert not any(private in text for text in texts)
