"""A set of announcements with its tree, ready to be mined with at more than one height."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from packetcrypt.engine.block_store import PinnedRows
from packetcrypt.engine.block_tree import BlockTree
from packetcrypt.engine.key_index import Keys
from packetcrypt.protocol.difficulty import UNUSABLE, work_of_compact
from packetcrypt.protocol.set_selection import (
    AnnouncementClass,
    SelectedSet,
    best_set,
    target_at,
)


@dataclass(frozen=True, eq=False)
class MinedSet:
    """What commitments, searches and proofs need of a set.

    classes : what its announcements were chosen by
    pinned  : they themselves, in the order of the tree
    builder : index of the device that hashed the tree
    """

    classes: tuple[AnnouncementClass, ...]
    pinned: PinnedRows
    tree: BlockTree
    builder: str

    @property
    def count(self) -> int:
        """How many announcements it has."""
        return len(self.pinned.rows)

    @cached_property
    def root(self) -> bytes:
        """The root hash that blocks commit to."""
        return self.tree.root

    def has_any(self, keys: Keys) -> bool:
        """Whether announcements with any of these dedup keys, (n,) uint64, are in it."""
        mine = self.pinned.keys
        places = np.searchsorted(mine, keys)
        return bool((mine[np.minimum(places, len(mine) - 1)] == keys).any())

    def max_target(self, height: int) -> int | None:
        """The largest degraded target for a block of this height; None if one is not usable."""
        largest = max(
            target_at(height, each.parent_height, each.work_bits) for each in self.classes
        )
        return None if largest == UNUSABLE else largest

    def power(self, height: int) -> int:
        """What it makes a hash worth at a height (`power_of`); 0 if it is not usable there."""
        max_target = self.max_target(height)
        return 0 if max_target is None else power_of(max_target, self.count)


def best_set_within(
    limit: int, classes: Iterable[AnnouncementClass], height: int
) -> SelectedSet | None:
    """The best set (spec 1 §5) of at most `limit` announcements; perhaps with a part of a class."""
    within = []
    ranked = sorted(
        (target_at(height, each.parent_height, each.work_bits), number, each)
        for number, each in enumerate(classes)
    )
    for _, _, each in ranked:
        count = min(each.count, limit)
        limit -= count
        within.append(replace(each, count=count))
    return best_set(within, height)


def power_of(max_target: int, count: int) -> int:
    """`hashrate_multiplier` without its rounding and its cap, which would hide differences."""
    return work_of_compact(max_target) * count**2
