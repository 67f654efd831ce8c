"""How ten seconds of mining read in one line (spec 2 "Miner's 10-second log line").

    467 Ke/s 28.56Mb/s overflow: [0, 0] uploading: [0, 1024] accept/reject/overload: [26932/0/0,
    4856/0/0] - goodrate: [100%, 61%]                                                (one line)

Ke/s   : thousands of hashes a second, estimated from the announcements found and their difficulty
Mb/s   : megabits a second of announcements that were answered, all pools together
then one entry for each pool, in the order they were given, counted over these seconds:
overflow  : announcements dropped before upload, or lost in an upload that failed
uploading : announcements in uploads under way now
goodrate  : accepted / (accepted + rejected + overloaded + overflow), rounded down, so that 100%
            means all of them. Where none of these counted anything there is no rate: "-" for a pool
            that is up, "0%" for one that is down, answers nonsense or has no handlers.
"""

from dataclasses import dataclass

from packetcrypt.miner.accounting import FoundCounts, PoolCounts


@dataclass(frozen=True)
class PoolReport:
    """One pool's part of a line: counts over its seconds, uploads and status at their end."""

    url: str
    counts: PoolCounts
    uploading: int
    is_up: bool


@dataclass(frozen=True)
class MinerReport:
    """What was done within `seconds`."""

    seconds: float
    found: FoundCounts
    pools: tuple[PoolReport, ...]

    @property
    def hashes_per_second(self) -> float:
        """Estimated from what was found: right on average, rough while little is found."""
        return self.found.hashes / self.seconds if self.seconds else 0.0

    @property
    def bits_per_second(self) -> float:
        """Bits of answered announcements a second, all pools together."""
        sent = sum(pool.counts.sent_bytes for pool in self.pools)
        return sent * 8 / self.seconds if self.seconds else 0.0


def format_report(report: MinerReport) -> str:
    """The line, without time and level (the logger puts them before it)."""
    overflow = ", ".join(str(pool.counts.lost) for pool in report.pools)
    uploading = ", ".join(str(pool.uploading) for pool in report.pools)
    answered = ", ".join(
        f"{pool.counts.accepted}/{pool.counts.rejected}/{pool.counts.overloaded}"
        for pool in report.pools
    )
    goodrate = ", ".join(format_goodrate(pool) for pool in report.pools)
    return (
        f"{format_hashrate(report.hashes_per_second)} {report.bits_per_second / 1e6:.2f}Mb/s "
        f"overflow: [{overflow}] uploading: [{uploading}] "
        f"accept/reject/overload: [{answered}] - goodrate: [{goodrate}]"
    )


def format_hashrate(hashes_per_second: float) -> str:
    """Thousands a second: whole ones, below ten with a decimal."""
    thousands = hashes_per_second / 1000
    return f"{thousands:.1f} Ke/s" if thousands < 9.95 else f"{thousands:.0f} Ke/s"


def format_goodrate(pool: PoolReport) -> str:
    """The share of accepted announcements in percent, "-" or "0%" where nothing was settled."""
    if pool.counts.settled:
        return f"{pool.counts.accepted * 100 // pool.counts.settled}%"
    return "-" if pool.is_up else "0%"
