"""How the counters of a block miner become ten seconds in a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from packetcrypt.engine.block_statistics import BlockEngineStatistics
from packetcrypt.miner.announcement_intake import IntakeCounts
from packetcrypt.miner.block_log_line import BlockMinerReport, ShareCounts
from packetcrypt.operations.contact import Contact
from packetcrypt.protocol.difficulty import UNUSABLE, degrade, work_of_compact


@dataclass(frozen=True)
class BlockMinerReading:
    """All counters at one moment, since the start.

    sprayed    : announcements that came over UDP
    downloaded : bytes, by handler URL
    """

    engine: BlockEngineStatistics
    shares: ShareCounts
    sprayed: int
    downloaded: dict[str, int]


@dataclass(frozen=True)
class BlockMinerState:
    """How things stand at one moment.

    height         : of the block being mined; None before there is work
    received       : announcements of all sources, since the start
    shares_waiting : for their upload
    contact        : whether the pool answers, which is asked every `poll_interval` seconds
    """

    reading: BlockMinerReading
    height: int | None
    received: IntakeCounts
    shares_waiting: int
    contact: Contact
    poll_interval: float


def report_between(
    earlier: BlockMinerReading, now: BlockMinerReading, height: int | None, handlers: Sequence[str]
) -> BlockMinerReport:
    """What was done between two readings.

    height   : of the block being mined; None before there is work
    handlers : URLs of those that announcements are downloaded from now, in the pool's order
    """
    rates = now.engine.rates_since(earlier.engine)
    per_second = 1 / rates.seconds if rates.seconds else 0.0
    # So easy that the engine could not make them, or this program not take them, fast enough.
    dropped = _dropped(now.engine) - _dropped(earlier.engine)
    mined = now.engine.mined
    classes = now.engine.store.classes
    ready = sum(
        count
        for (parent_height, work_bits), count in classes.items()
        if height is not None and degrade(work_bits, height - parent_height) != UNUSABLE
    )
    young = sum(
        count
        for (parent_height, _), count in classes.items()
        if height is not None and height - parent_height < 3
    )
    return BlockMinerReport(
        shares=now.shares.since(earlier.shares).plus(ShareCounts(lost=dropped)),
        hashes_per_second=rates.hashes_per_second,
        multiplier=0 if mined is None else mined.multiplier,
        set_count=0 if mined is None else mined.count,
        set_difficulty=0 if mined is None else work_of_compact(mined.max_target),
        ready=ready,
        immature=young,
        classes=len(classes),
        sprayed_per_second=(now.sprayed - earlier.sprayed) * per_second,
        downloaded=tuple(
            (now.downloaded.get(url, 0) - earlier.downloaded.get(url, 0)) * 8 * per_second
            for url in handlers
        ),
    )


def _dropped(engine: BlockEngineStatistics) -> int:
    return sum(device.dropped for device in engine.devices)
