"""What a block miner tells its operator over real HTTP: known counters, and a pool that goes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from block_miner_parts import ByteChecker, SetStore, made_announcements, made_share
from command_line import PAYMENT_ADDRESS
from miner_operations import answering_miner, until
from operations_reading import Metrics, assert_as_declared, read_health, read_metrics
from pool_processes import free_port
from scripted_pool import ScriptedPool

from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_statistics import (
    BlockDeviceStatistics,
    BlockEngineStatistics,
    SetStatistics,
    StoreStatistics,
)
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.miner.announcement_intake import IntakeCounts
from packetcrypt.miner.blk_metrics import METRICS, SERVICE, block_operations
from packetcrypt.miner.block_miner import BlockMiner, BlockMinerTiming
from packetcrypt.miner.block_settings import BlockMinerSettings
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.protocol.difficulty import work_of_compact
from packetcrypt.protocol.work_file import BlockWork

TIP = 200_000
PASSWORD = "a password that nobody may see"
ERROR = "no such file: /home/somebody/kernels.cl"
GPU = DeviceInfo(DeviceKind.GPU, "A GPU", "platform", "driver", "0:0", 1, 1)
CPU = DeviceInfo(DeviceKind.CPU, "A CPU", "platform", "driver", "1:0", 1, 1)
MINING = BlockDeviceStatistics(
    GPU, DeviceState.MINING, hashes=9000, shares=5, dropped=2, withheld=1, trees=3
)
MINED = SetStatistics(150, 0x2003FFFE, 1440, 0x1E00FFFF, 0x1D00FFFF)
STATISTICS = BlockEngineStatistics(
    (MINING, BlockDeviceStatistics(CPU, DeviceState.FAILED, ERROR)),
    StoreStatistics(1000, 800, {(TIP, 0x207FFFFF): 100, (TIP - 1, 0x207FFFFF): 50}),
    MINED,
)


class CountingEngine(SetStore):
    """Gives the statistics that a test sets, and one share that no pool would take."""

    def __init__(self) -> None:
        super().__init__()
        self.told = STATISTICS
        self.shares = [made_share()]

    def start(self, work: BlockWork) -> None:
        """Nothing is searched."""

    def pause(self) -> None:
        """Nothing is searched."""

    def get(self, timeout: float | None = None) -> FoundShare | None:
        return self.shares.pop() if self.shares else None

    def statistics(self) -> BlockEngineStatistics:
        return self.told


class MinerParts:
    """A miner, its engine and what they are told."""

    def __init__(self, url: str) -> None:
        self.engine = CountingEngine()
        settings = BlockMinerSettings(pool=url, payment_addr=PAYMENT_ADDRESS, handler_pass=PASSWORD)
        timing = BlockMinerTiming(poll=0.02, index=0.02, report=5.0, take=0.01)
        self.miner = BlockMiner(settings, self.engine, ByteChecker(), timing=timing)
        self.operations = block_operations(self.miner)

    def have(self, *devices: BlockDeviceStatistics, mined: SetStatistics | None = MINED) -> None:
        self.engine.told = replace(STATISTICS, devices=devices, mined=mined)


@pytest.fixture
async def pool() -> AsyncIterator[ScriptedPool]:
    pool = ScriptedPool()
    pool.work = replace(made_share(previous_hash=pool.chain[-1].hash).work, height=TIP + 1)
    async with pool:
        yield pool


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


async def test_a_miner_that_mines_is_ok(pool: ScriptedPool) -> None:
    parts = MinerParts(pool.url)
    parts.have(MINING)
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        health = await until_status(session, url, (200, "ok"))
    assert (health["service"], health["name"]) == ("blk", "")
    assert {name: check["detail"] for name, check in health["checks"].items()} | {"pool": ""} == {
        "devices": "1 of 1 devices work, 0 failed",
        "pool": "",
        "work": f"block {TIP + 1} is mined",
        "set": "150 announcements are mined with",
    }


async def test_a_pool_that_never_answered() -> None:
    parts = MinerParts(f"http://127.0.0.1:{free_port()}")
    parts.have(MINING)
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        status, health = await read_health(session, url)
        assert (status, health["status"]) == (503, "starting")
        assert not health["checks"]["work"]["ok"]


async def test_before_it_runs() -> None:
    health = MinerParts("http://pool.example").miner.state()
    assert health is None


async def test_a_pool_that_went_away_does_not_stop_the_miner(pool: ScriptedPool) -> None:
    parts = MinerParts(pool.url)
    parts.have(MINING)
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        await until_status(session, url, (200, "ok"))
        pool.master_answer = lambda _: web.Response(status=500)
        health = await until_status(session, url, (200, "degraded"))
        assert not health["checks"]["pool"]["ok"]
        pool.master_answer = None
        await until_status(session, url, (200, "ok"))


async def test_without_a_set_it_says_so(pool: ScriptedPool) -> None:
    parts = MinerParts(pool.url)
    parts.have(MINING, mined=None)
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        health = await until_status(session, url, (200, "degraded"))
        metrics = await read_metrics(session, url)
    assert not health["checks"]["set"]["ok"]
    assert metrics.value("packetcrypt_blk_set_announcements") == 0
    assert metrics.value("packetcrypt_blk_set_multiplier") == 0


async def test_without_a_device_nothing_is_mined(pool: ScriptedPool) -> None:
    parts = MinerParts(pool.url)
    parts.have(BlockDeviceStatistics(CPU, DeviceState.FAILED, ERROR))
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        health = await until_status(session, url, (503, "degraded"))
    assert health["checks"]["devices"]["detail"] == "no device works"


async def test_metrics_after_known_announcements_and_shares(pool: ScriptedPool) -> None:
    fresh, bad = made_announcements(7, TIP, seed=1), made_announcements(3, TIP, seed=2, bad=3)
    old = made_announcements(2, TIP - 1000, seed=3)
    parts = MinerParts(pool.url)
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        await until_status(session, url, (200, "degraded"))
        for source, given in (("the sprayers", fresh), ("h", fresh), ("h", bad), ("h", old)):
            await parts.miner._intake.take(source, given)

        async def share_is_lost() -> bool:
            metrics = await read_metrics(session, url)
            return metrics.value("packetcrypt_blk_shares_total", result="lost") == 1

        await until(share_is_lost)
        metrics = await read_metrics(session, url)

    assert _of(metrics, "announcements_total") == {
        "taken": 7,
        "duplicate": 7,
        "unusable": 2,
        "invalid": 3,
        "dropped": 0,
    }
    assert metrics.value("packetcrypt_blk_sprayed_announcements_total") == 7
    assert metrics.value("packetcrypt_blk_downloaded_bytes_total") == 0
    assert _of(metrics, "shares_total") == {"accepted": 0, "rejected": 0, "lost": 1}
    assert metrics.value("packetcrypt_blk_shares_waiting") == 0
    assert metrics.value("packetcrypt_blk_blocks_total") == 0
    assert metrics.value("packetcrypt_blk_block_height") == TIP + 1
    assert metrics.value("packetcrypt_blk_pool_polls_total", outcome="answered") >= 1
    assert metrics.value("packetcrypt_blk_pool_polls_total", outcome="failed") == 0
    assert metrics.value("packetcrypt_blk_store_announcements") == 150
    assert metrics.value("packetcrypt_blk_store_capacity") == 1000
    assert metrics.value("packetcrypt_blk_store_free") == 800
    assert metrics.value("packetcrypt_blk_store_classes") == 2
    assert metrics.value("packetcrypt_blk_set_announcements") == 150
    assert metrics.value("packetcrypt_blk_set_difficulty") == work_of_compact(MINED.max_target)
    assert metrics.value("packetcrypt_blk_set_multiplier") == 1440

    def of_gpu(name: str, /, **labels: str) -> float:
        return metrics.value(f"packetcrypt_blk_device_{name}", device="0:0", **labels)

    assert of_gpu("hashes_total") == 9000
    assert of_gpu("shares_total") == 5
    assert of_gpu("withheld_total", reason="dropped") == 2
    assert of_gpu("withheld_total", reason="distrusted") == 1
    assert of_gpu("trees_total") == 3
    assert of_gpu("state", state="mining") == 1
    assert metrics.value("packetcrypt_blk_device_state", device="1:0", state="failed") == 1
    assert_as_declared(metrics, (*common_metrics(SERVICE), *METRICS))
    assert metrics.families.keys() >= {metric.name for metric in METRICS}


def _of(metrics: Metrics, name: str) -> dict[str, float]:
    full = f"packetcrypt_blk_{name}"
    return {label["result"]: metrics.value(full, **label) for label in metrics.labels(full)}


def test_counts_of_all_sources_are_one_sum() -> None:
    counts = IntakeCounts(1, 2, 3, 4, 5).plus(IntakeCounts(10, 20, 30, 40, 50))
    assert counts == IntakeCounts(11, 22, 33, 44, 55)


async def test_nothing_private_is_said() -> None:
    parts = MinerParts(f"http://somebody:hunter2@127.0.0.1:{free_port()}/secret/master")
    async with answering_miner(parts.miner, parts.operations) as (session, url):
        texts = [await (await session.get(url + path)).text() for path in ("/health", "/metrics")]
    for private in ("hunter2", "somebody", "/secret", ERROR, PASSWORD, PAYMENT_ADDRESS):
        assert not any(private in text for text in texts)
