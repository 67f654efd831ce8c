"""A set of announcements with its tree, ready to be mined with at more than one height."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from packetcrypt.engine.block_store import PinnedRows
from packetcrypt.engine.block_tree import BlockTree
from packetcrypt.engine.key_index import Keys
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.difficulty import UNUSABLE, hashrate_multiplier, work_of_compact
from packetcrypt.protocol.set_selection import (
    AnnouncementClass,
    SelectedSet,
    best_set,
    target_at,
)


class Withdrawn:
    """Announcements of a set that no share may have any more: they proved bad, or their parents
    left the chain. One thread at a time adds; any may ask meanwhile."""

    def __init__(self) -> None:
        self._keys: frozenset[int] = frozenset()
        self._parents: frozenset[int] = frozenset()

    def add_keys(self, keys: Keys) -> None:
        """Withdraw announcements by dedup key, (n,) uint64."""
        self._keys |= frozenset(keys.tolist())

    def add_parents(self, heights: Iterable[int]) -> None:
        """Withdraw those with parents at these heights."""
        self._parents |= frozenset(heights)

    def has_any(self, announcements: Iterable[bytes]) -> bool:
        """Whether any of these, 1024 bytes each, is withdrawn."""
        return any(
            dedup_key(each) in self._keys
            or AnnouncementHeader.decode(each).parent_height in self._parents
            for each in announcements
        )


@dataclass(frozen=True, eq=False)
class MinedSet:
    """What commitments, searches and proofs need of a set.

    classes   : what its announcements were chosen by
    pinned    : they themselves, in the order of the tree
    builder   : index of the device that hashed the tree
    withdrawn : those that were forgotten since
    """

    classes: tuple[AnnouncementClass, ...]
    pinned: PinnedRows
    tree: BlockTree
    builder: str
    withdrawn: Withdrawn = field(default_factory=Withdrawn)

    @property
    def count(self) -> int:
        """How many announcements it has."""
        return len(self.pinned.rows)

    @cached_property
    def root(self) -> bytes:
        """The root hash that blocks commit to."""
        return self.tree.root

    def max_target(self, height: int) -> int | None:
        """The largest degraded target for a block of this height; None if one is not usable."""
        return max_target_at(height, self.classes)

    def power(self, height: int) -> int:
        """What it makes a hash worth at a height (`power_of`); 0 if it is not usable there."""
        max_target = self.max_target(height)
        return 0 if max_target is None else power_of(max_target, self.count)


def max_target_at(height: int, classes: Iterable[AnnouncementClass]) -> int | None:
    """The largest degraded target of some classes at a height; None if one is not usable there."""
    largest = max(target_at(height, each.parent_height, each.work_bits) for each in classes)
    return None if largest == UNUSABLE else largest


def has_parents(classes: Iterable[AnnouncementClass], heights: Collection[int]) -> bool:
    """Whether announcements of some classes have parents at any of these heights."""
    return any(each.parent_height in heights for each in classes)


def best_set_within(
    limit: int, classes: Iterable[AnnouncementClass], height: int
) -> SelectedSet | None:
    """The best set (spec 1 §5) of at most `limit` announcements, and of an odd number of them.

    pktd refuses a proof with the last announcement of an even set, as about four in n shares have;
    one announcement less costs two in n of their worth. So a class may be taken in part.
    """
    within = []
    ranked = sorted(
        (target_at(height, each.parent_height, each.work_bits), number, each)
        for number, each in enumerate(classes)
    )
    for _, _, each in ranked:
        count = min(each.count, limit)
        limit -= count
        within.append(replace(each, count=count))
    best = best_set(within, height)
    return best if best is None or best.count % 2 else _without_one(best, height)


def _without_one(selected: SelectedSet, height: int) -> SelectedSet:
    """A set of two or more without one announcement of its easiest class."""

    def target(each: AnnouncementClass) -> int:
        return target_at(height, each.parent_height, each.work_bits)

    easiest = max(selected.classes, key=target)
    less = (
        replace(each, count=each.count - 1) if each is easiest else each
        for each in selected.classes
    )
    classes = tuple(each for each in less if each.count)
    max_target, count = max(map(target, classes)), selected.count - 1
    multiplier = hashrate_multiplier(max_target, count)
    return SelectedSet(classes, max_target, count, multiplier)


def power_of(max_target: int, count: int) -> int:
    """`hashrate_multiplier` without its rounding and its cap, which would hide differences."""
    return work_of_compact(max_target) * count**2
