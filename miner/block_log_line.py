"""How ten seconds of block mining read in one line.

    shr: 12/0/0 real: 118 Ke/s eff: 3.41 Ge/s anns: 1048576 @ 128 rdy: 1200000 spr: 520/s imm: 3072
    cls: 7 <- [12.30Mb/s, 0.00Mb/s]                                                  (one line)

shr  : shares accepted/rejected/lost in these seconds
real : block hashes a second
eff  : the same times the power multiplier of the announcements mined with (spec 1 §1)
anns : announcements mined with @ the least difficulty among them, as degraded by age
rdy  : announcements in memory that the block being mined may use
spr  : announcements a second that came over UDP
imm  : announcements in memory that are too young for the block being mined ("immature")
cls  : classes of announcements in memory: those of one parent block and one difficulty
<-   : megabits a second downloaded, one entry for each handler in the pool's order
"""

from dataclasses import dataclass
from typing import Final

_PREFIXES: Final = ("", "K", "M", "G", "T", "P", "E")


@dataclass(frozen=True)
class ShareCounts:
    """What became of shares.

    accepted : the handler credits them
    rejected : the handler answered and does not
    lost     : no handler took them in time, the work was replaced meanwhile, or there were more
               than could be taken from the engine
    blocks   : of the accepted ones, those that the handler says became a block
    """

    accepted: int = 0
    rejected: int = 0
    lost: int = 0
    blocks: int = 0

    def plus(self, other: "ShareCounts") -> "ShareCounts":
        """Both together."""
        return ShareCounts(
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.lost + other.lost,
            self.blocks + other.blocks,
        )

    def since(self, earlier: "ShareCounts") -> "ShareCounts":
        """What was counted since an earlier reading."""
        return ShareCounts(
            self.accepted - earlier.accepted,
            self.rejected - earlier.rejected,
            self.lost - earlier.lost,
            self.blocks - earlier.blocks,
        )


@dataclass(frozen=True)
class BlockMinerReport:
    """What was done within some seconds, and how things stand at their end.

    hashes_per_second : block hashes
    multiplier        : power multiplier of the set mined with; 0 while there is none
    set_count         : announcements of that set
    set_difficulty    : expected hashes of its easiest announcement, degraded by age
    downloaded        : bits a second, by handler
    """

    shares: ShareCounts
    hashes_per_second: float
    multiplier: int
    set_count: int
    set_difficulty: int
    ready: int
    immature: int
    classes: int
    sprayed_per_second: float
    downloaded: tuple[float, ...]


def format_block_report(report: BlockMinerReport) -> str:
    """The line, without time and level (the logger puts them before it)."""
    shares = report.shares
    downloaded = ", ".join(f"{bits / 1e6:.2f}Mb/s" for bits in report.downloaded)
    return (
        f"shr: {shares.accepted}/{shares.rejected}/{shares.lost} "
        f"real: {format_rate(report.hashes_per_second)} "
        f"eff: {format_rate(report.hashes_per_second * report.multiplier)} "
        f"anns: {report.set_count} @ {report.set_difficulty} "
        f"rdy: {report.ready} spr: {report.sprayed_per_second:.0f}/s "
        f"imm: {report.immature} cls: {report.classes} <- [{downloaded}]"
    )


def format_rate(hashes_per_second: float) -> str:
    """Three digits and a prefix: 118 Ke/s, 3.41 Ge/s."""
    value, prefix = hashes_per_second, 0
    while value >= 999.5 and prefix < len(_PREFIXES) - 1:
        value /= 1000
        prefix += 1
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits if prefix else 0}f} {_PREFIXES[prefix]}e/s"
