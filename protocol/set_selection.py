"""Which announcements are worth mining a block with (spec 1 §5 "Set")."""

from collections.abc import Iterable
from dataclasses import dataclass

from packetcrypt.protocol.difficulty import (
    degrade,
    hashrate_multiplier,
    min_ann_target_ok,
    work_of_compact,
)

_FIRST_DEGRADED_HEIGHT = 3
"""Before it no announcement could be old enough: blocks take any, with its own work bits."""


@dataclass(frozen=True)
class AnnouncementClass:
    """Announcements that are worth the same: one parent height, one difficulty.

    work_bits : compact target in their headers
    """

    parent_height: int
    work_bits: int
    count: int


@dataclass(frozen=True)
class SelectedSet:
    """The classes to mine with, all of each.

    max_target : the largest degraded compact target among them, for the commitment
    multiplier : `hashrate_multiplier` of the set
    """

    classes: tuple[AnnouncementClass, ...]
    max_target: int
    count: int
    multiplier: int


def target_at(height: int, parent_height: int, work_bits: int) -> int:
    """The compact target that an announcement counts with in the block at `height`.

    `difficulty.UNUSABLE`, more than any commitment may say, if it is too young or too old.
    """
    if height < _FIRST_DEGRADED_HEIGHT:
        return work_bits
    return degrade(work_bits, height - parent_height)


def best_set(classes: Iterable[AnnouncementClass], height: int) -> SelectedSet | None:
    """The set that makes hashes at `height` worth most; None if no announcement is usable.

    For a given easiest member, more announcements are always better: so the best set is everything
    up to some target, and of two that are worth the same the smaller one, which is built sooner.
    Targets compare as compact integers, like the check of a block compares them.
    """
    usable = sorted(
        (
            (target, announcements)
            for announcements in classes
            if announcements.count > 0
            and min_ann_target_ok(
                target := target_at(height, announcements.parent_height, announcements.work_bits)
            )
        ),
        key=lambda pair: pair[0],
    )
    best_power, best_end, best_count = -1, 0, 0
    count = 0
    for end, (target, announcements) in enumerate(usable, start=1):
        count += announcements.count
        # The multiplier without its rounding and its cap, which would hide differences.
        power = work_of_compact(target) * count**2
        if power > best_power:
            best_power, best_end, best_count = power, end, count
    if not usable:
        return None
    max_target = usable[best_end - 1][0]
    return SelectedSet(
        classes=tuple(announcements for _, announcements in usable[:best_end]),
        max_target=max_target,
        count=best_count,
        multiplier=hashrate_multiplier(max_target, best_count),
    )
