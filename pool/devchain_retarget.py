"""How hard the next block of a development chain is, so that blocks keep coming at a steady pace.

A block of work w, mined with a set of c announcements of work a each, takes

    effective work = w³ / (1024 · a · c²)          (spec 1 §1, `difficulty.effective_target`)

hashes on average. So at h hashes a second it is found after w³ / (h · power) seconds, where power
is 1024 · a · c². The work that takes `goal` seconds is therefore the *cube root* of h · power ·
goal: a chain that corrected w itself by the ratio of times would overshoot threefold, and never
settle.

The two factors differ. Power is no unknown at all, because every block commits to its a and c; in
the first minutes of a chain it grows by orders of magnitude while announcements pile up: that of
the newest block is taken. The hash rate h hardly changes, but shows only in block times, which are
exponentially distributed: it is estimated over several blocks, as hashes that they took on average
by seconds that they took. Weights fall by `_FADING` a block, so that about nine blocks count.

What counts is what was found, whether it stayed in the best chain or not: the history is that of
all blocks in the order in which they came. A made-up block that nobody waited for says nothing, and
the target stays what it was; otherwise a chain whose blocks are all displaced would never adapt.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact, work_of_compact

FIRST_BITS: Final = target_to_compact(target_of_work(800_000))
"""of the first block: with a thousand announcements of difficulty 256 two million hashes, with four
thousand 120 000. So it comes when there are some thousands, and those after it are as hard as they
are going to be."""

_FADING: Final = 0.8
_BLOCKS: Final = 30
"""looked back at; weights are below a thousandth then"""
_SUPPOSED_RATE: Final = 20_000.0
"""hashes a second before anything is known: two cores of a laptop"""
_SUPPOSED_BLOCKS: Final = 0.25
"""how many blocks this supposition counts as: the first block that is known outweighs it"""

_RECENT: Final = 3
_SURPRISE: Final = 4.0
"""Hash power that changed: if the last three blocks alone say so many times more or less than all,
they alone count. By chance that happens to one block in some hundred."""

_MIN_WORK: Final = 1 << 14
_MAX_STEP: Final = 16.0
"""times the work of the block before: 4096 times its effective work"""
_OVERDUE_STEP: Final = 0.5
"""likewise of a block that nobody found: an eighth of the effective work"""


@dataclass(frozen=True)
class PastBlock:
    """A block as retargeting sees it.

    seconds    : in which it was mined; None if that is unknown, because the chain stood still in
                 between, or nobody was mining yet. Of a made-up block: in which no block was found
    bits       : compact target
    commitment : of its announcements; None if it was made up
    """

    seconds: float | None
    bits: int
    commitment: BlockCommitment | None

    @property
    def tells(self) -> bool:
        """False if it was made up without anybody having waited for it."""
        return self.commitment is not None or self.seconds is not None


def next_bits(newest_first: Iterable[PastBlock], goal: float) -> int:
    """The compact target of the block after these.

    newest_first : the blocks in the order in which they came, displaced ones too
    goal         : seconds that it should take
    """
    blocks = list(islice((block for block in newest_first if block.tells), _BLOCKS))
    if not blocks:
        return FIRST_BITS
    newest = blocks[0]
    work = float(work_of_compact(newest.bits))
    if newest.commitment is None:
        wanted = work * _OVERDUE_STEP
    else:
        wanted = math.cbrt(_hash_rate(blocks, goal) * _power(newest.commitment) * goal)
        wanted = min(max(wanted, work / _MAX_STEP), work * _MAX_STEP)
    return target_to_compact(target_of_work(max(_MIN_WORK, round(wanted))))


def _hash_rate(newest_first: list[PastBlock], goal: float) -> float:
    """Hashes a second."""
    all_seconds = _SUPPOSED_BLOCKS * goal
    all_hashes = _SUPPOSED_RATE * all_seconds
    for block in reversed(newest_first):
        hashes, seconds = _effort(block)
        if seconds:
            all_hashes = _FADING * all_hashes + hashes
            all_seconds = _FADING * all_seconds + seconds
    usual = all_hashes / all_seconds
    efforts = [effort for block in newest_first if (effort := _effort(block))[1]][:_RECENT]
    if len(efforts) == _RECENT:
        recent = sum(hashes for hashes, _ in efforts) / sum(seconds for _, seconds in efforts)
        if recent and not 1 / _SURPRISE < recent / usual < _SURPRISE:
            return recent
    return usual


def _effort(block: PastBlock) -> tuple[float, float]:
    """Hashes that a block takes on average, and the seconds that it took; (0, 0) if unknown."""
    if block.seconds is None:
        return 0.0, 0.0
    if block.commitment is None:
        return 0.0, block.seconds
    return float(work_of_compact(block.bits)) ** 3 / _power(block.commitment), block.seconds


def _power(commitment: BlockCommitment) -> float:
    return 1024.0 * work_of_compact(commitment.max_target) * commitment.count**2
