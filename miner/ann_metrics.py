"""What an announcement miner shows its operator: whether it mines, and its metrics."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from packetcrypt.engine.statistics import DeviceStatistics, EngineStatistics
from packetcrypt.miner.announcement_miner import AnnouncementMiner, MinedPool
from packetcrypt.miner.device_metrics import device_check, device_metrics, device_readings
from packetcrypt.miner.pool_follower import PoolStatus
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Check, Checks, Grade, Health
from packetcrypt.operations.metrics import Readings, Value, counter, gauge

SERVICE: Final = "ann"

METRICS: Final = (
    *device_metrics(SERVICE),
    counter("packetcrypt_ann_device_hashes_total", "Hashes searched.", "device"),
    counter("packetcrypt_ann_device_announcements_total", "Announcements found.", "device"),
    counter(
        "packetcrypt_ann_device_credited_hashes_total",
        "Hashes that the announcements found stand for, by their difficulty: what pools see.",
        "device",
    ),
    counter(
        "packetcrypt_ann_device_withheld_total",
        "Announcements found and not passed on, by reason: dropped (nobody took them in time) or "
        "distrusted (their device failed a re-check).",
        "device",
        "reason",
    ),
    counter(
        "packetcrypt_ann_device_rechecked_total",
        "Announcements that the plain implementation computed again.",
        "device",
    ),
    counter(
        "packetcrypt_ann_device_jobs_total",
        "Jobs, by outcome: searched, or skipped (a random program of theirs is invalid).",
        "device",
        "outcome",
    ),
    counter(
        "packetcrypt_ann_device_busy_seconds_total",
        "Time that a device spent on preparing and searching.",
        "device",
    ),
    gauge("packetcrypt_ann_parent_height", "Height of the block that announcements are mined for."),
    gauge(
        "packetcrypt_ann_pool_up",
        "1 if a pool answered its last poll usefully and has handlers. Pools are numbered from 0 "
        "in the order in which they were given.",
        "pool",
        "host",
    ),
    counter(
        "packetcrypt_ann_pool_announcements_total",
        "Announcements, by what became of them at a pool: accepted, rejected, overloaded (its "
        "handler's queue was full) or lost (dropped before, or in an upload that failed).",
        "pool",
        "result",
    ),
    gauge("packetcrypt_ann_pool_uploading", "Announcements in uploads under way.", "pool"),
    counter(
        "packetcrypt_ann_pool_sent_bytes_total",
        "Bytes of announcements that a pool answered.",
        "pool",
    ),
)


def announcement_operations(
    miner: AnnouncementMiner, statistics: Callable[[], EngineStatistics]
) -> Operations:
    """The endpoints of one miner; `statistics` are those of its engine."""
    return Operations(
        Health(SERVICE, "", lambda: _checks(miner, statistics().devices)),
        METRICS,
        lambda: _readings(miner, statistics().devices),
    )


def _checks(miner: AnnouncementMiner, devices: Sequence[DeviceStatistics]) -> Checks:
    return {
        "devices": device_check(devices),
        "pools": _pools(miner.pools),
        "work": _work(miner),
    }


def _pools(pools: Sequence[MinedPool]) -> Check:
    if not any(pool.has_answered for pool in pools):
        return Check(Grade.NOT_YET, "no pool has answered yet")
    up = sum(pool.status is PoolStatus.UP for pool in pools)
    return Check.of(up == len(pools), f"{up} of {len(pools)} pools answer and have handlers")


def _work(miner: AnnouncementMiner) -> Check:
    if miner.work is None:
        return Check(Grade.NOT_YET, "the first pool has given nothing to mine for yet")
    return Check(Grade.GOOD, f"announcements for block {miner.work.parent_height} are mined")


def _readings(miner: AnnouncementMiner, devices: Sequence[DeviceStatistics]) -> Readings:
    by_index = {each.device.index: each for each in devices}
    pools = {str(number): pool for number, pool in enumerate(miner.pools)}
    readings: dict[str, Value] = {
        **device_readings(SERVICE, devices),
        "packetcrypt_ann_device_hashes_total": {
            index: each.nonces for index, each in by_index.items()
        },
        "packetcrypt_ann_device_announcements_total": {
            index: each.announcements for index, each in by_index.items()
        },
        "packetcrypt_ann_device_credited_hashes_total": {
            index: each.announced_work for index, each in by_index.items()
        },
        "packetcrypt_ann_device_withheld_total": {
            (index, reason): count
            for index, each in by_index.items()
            for reason, count in (("dropped", each.dropped), ("distrusted", each.withheld))
        },
        "packetcrypt_ann_device_rechecked_total": {
            index: each.rechecked for index, each in by_index.items()
        },
        "packetcrypt_ann_device_jobs_total": {
            (index, outcome): count
            for index, each in by_index.items()
            for outcome, count in (("searched", each.jobs), ("skipped", each.skipped_jobs))
        },
        "packetcrypt_ann_device_busy_seconds_total": {
            index: each.busy_seconds for index, each in by_index.items()
        },
        "packetcrypt_ann_pool_up": {
            (number, urlsplit(pool.url).hostname or ""): float(pool.status is PoolStatus.UP)
            for number, pool in pools.items()
        },
        "packetcrypt_ann_pool_announcements_total": {
            (number, result): count
            for number, pool in pools.items()
            for result, count in (
                ("accepted", pool.counts.accepted),
                ("rejected", pool.counts.rejected),
                ("overloaded", pool.counts.overloaded),
                ("lost", pool.counts.lost),
            )
        },
        "packetcrypt_ann_pool_uploading": {
            number: pool.uploading for number, pool in pools.items()
        },
        "packetcrypt_ann_pool_sent_bytes_total": {
            number: pool.counts.sent_bytes for number, pool in pools.items()
        },
    }
    if miner.work is not None:
        readings["packetcrypt_ann_parent_height"] = miner.work.parent_height
    return readings
