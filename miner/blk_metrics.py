"""What a block miner shows its operator: whether it mines, and its metrics."""

from typing import Final

from packetcrypt.engine.block_statistics import BlockEngineStatistics, SetStatistics
from packetcrypt.miner.block_miner import BlockMiner
from packetcrypt.miner.device_metrics import device_check, device_metrics, device_readings
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Check, Checks, Grade, Health
from packetcrypt.operations.metrics import Readings, Value, counter, gauge
from packetcrypt.protocol.difficulty import work_of_compact

SERVICE: Final = "blk"

METRICS: Final = (
    *device_metrics(SERVICE),
    counter("packetcrypt_blk_device_hashes_total", "Block hashes searched.", "device"),
    counter("packetcrypt_blk_device_shares_total", "Shares found, blocks among them.", "device"),
    counter(
        "packetcrypt_blk_device_withheld_total",
        "Finds and shares not passed on, by reason: dropped (they came too fast, or announcements "
        "of theirs were forgotten) or distrusted (the device computed wrongly).",
        "device",
        "reason",
    ),
    counter("packetcrypt_blk_device_trees_total", "Proof trees built.", "device"),
    gauge("packetcrypt_blk_block_height", "Height of the block that is mined."),
    counter(
        "packetcrypt_blk_pool_polls_total",
        "Questions to the pool's master, by outcome: answered or failed.",
        "outcome",
    ),
    counter(
        "packetcrypt_blk_shares_total",
        "Shares, by what became of them: accepted, rejected, or lost (no handler took them in "
        "time, their work was replaced, or the pool would have refused them).",
        "result",
    ),
    counter(
        "packetcrypt_blk_blocks_total",
        "Accepted shares that became a block, as the handler says.",
    ),
    gauge("packetcrypt_blk_shares_waiting", "Shares that wait for their upload."),
    counter(
        "packetcrypt_blk_announcements_total",
        "Announcements received, by what became of them: taken, duplicate, unusable (too old, of "
        "another chain or another signing key), invalid or dropped (no room, or no check).",
        "result",
    ),
    counter("packetcrypt_blk_sprayed_announcements_total", "Those of them that came over UDP."),
    counter(
        "packetcrypt_blk_downloaded_bytes_total", "Bytes of announcements that came over HTTP."
    ),
    gauge("packetcrypt_blk_store_announcements", "Announcements that a set can be chosen of."),
    gauge("packetcrypt_blk_store_capacity", "Announcements that there is memory for."),
    gauge("packetcrypt_blk_store_free", "Announcements that there is still room for."),
    gauge(
        "packetcrypt_blk_store_classes",
        "Classes of announcements in memory: those of one parent block and one difficulty.",
    ),
    gauge("packetcrypt_blk_set_announcements", "Announcements mined with; 0 before the first set."),
    gauge(
        "packetcrypt_blk_set_difficulty",
        "Expected hashes of the easiest of them, as degraded by age.",
    ),
    gauge(
        "packetcrypt_blk_set_multiplier",
        "What they make a block hash worth: rate(hashes) times this is the effective speed.",
    ),
)


def block_operations(miner: BlockMiner) -> Operations:
    """The endpoints of one miner."""
    return Operations(
        Health(SERVICE, "", lambda: _checks(miner)), METRICS, lambda: _readings(miner)
    )


def _checks(miner: BlockMiner) -> Checks:
    state = miner.state()
    if state is None:
        return {"work": _work(None)}
    return {
        "devices": device_check(state.reading.engine.devices),
        "pool": state.contact.check(state.poll_interval),
        "work": _work(state.height),
        "set": _set(state.reading.engine.mined),
    }


def _work(height: int | None) -> Check:
    if height is None:
        return Check(Grade.NOT_YET, "the pool has given no work yet")
    return Check(Grade.GOOD, f"block {height} is mined")


def _set(mined: SetStatistics | None) -> Check:
    if mined is None:
        return Check(Grade.TROUBLE, "there are no announcements to mine with yet")
    return Check(Grade.GOOD, f"{mined.count} announcements are mined with")


def _readings(miner: BlockMiner) -> Readings:
    state = miner.state()
    if state is None:
        return {}
    reading, received = state.reading, state.received
    readings: dict[str, Value] = {
        **_engine_readings(reading.engine),
        "packetcrypt_blk_pool_polls_total": state.contact.counts,
        "packetcrypt_blk_shares_total": {
            "accepted": reading.shares.accepted,
            "rejected": reading.shares.rejected,
            "lost": reading.shares.lost,
        },
        "packetcrypt_blk_blocks_total": reading.shares.blocks,
        "packetcrypt_blk_shares_waiting": state.shares_waiting,
        "packetcrypt_blk_announcements_total": {
            "taken": received.taken,
            "duplicate": received.duplicates,
            "unusable": received.unusable,
            "invalid": received.invalid,
            "dropped": received.dropped,
        },
        "packetcrypt_blk_sprayed_announcements_total": reading.sprayed,
        "packetcrypt_blk_downloaded_bytes_total": sum(reading.downloaded.values()),
    }
    if state.height is not None:
        readings["packetcrypt_blk_block_height"] = state.height
    return readings


def _engine_readings(engine: BlockEngineStatistics) -> Readings:
    by_index = {each.device.index: each for each in engine.devices}
    mined = engine.mined
    return {
        **device_readings(SERVICE, engine.devices),
        "packetcrypt_blk_device_hashes_total": {
            index: each.hashes for index, each in by_index.items()
        },
        "packetcrypt_blk_device_shares_total": {
            index: each.shares for index, each in by_index.items()
        },
        "packetcrypt_blk_device_withheld_total": {
            (index, reason): count
            for index, each in by_index.items()
            for reason, count in (("dropped", each.dropped), ("distrusted", each.withheld))
        },
        "packetcrypt_blk_device_trees_total": {
            index: each.trees for index, each in by_index.items()
        },
        "packetcrypt_blk_store_announcements": engine.store.count,
        "packetcrypt_blk_store_capacity": engine.store.capacity,
        "packetcrypt_blk_store_free": engine.store.free,
        "packetcrypt_blk_store_classes": len(engine.store.classes),
        "packetcrypt_blk_set_announcements": 0 if mined is None else mined.count,
        "packetcrypt_blk_set_difficulty": 0 if mined is None else work_of_compact(mined.max_target),
        "packetcrypt_blk_set_multiplier": 0 if mined is None else mined.multiplier,
    }
