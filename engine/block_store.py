"""Which announcements a block miner has at hand, where they lie, and which make room for others.

Announcements lie in rows of host memory that the devices read (`kernels.announcement_store`). They
are grouped in classes of one parent height and one work bits, which is all that selecting a set
looks at. Rows of a set that is being built or mined are pinned: they keep their contents until the
set is forgotten, whatever becomes of their class.

All memory is bounded: rows by the capacity, classes by `MAX_CLASSES` (any announcement may have
work bits of its own).
"""

import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.class_worth import worth_of
from packetcrypt.engine.key_index import KeyIndex, KeyRows, Keys, Rows, merged
from packetcrypt.engine.store_rows import FreeRows, RowChanges
from packetcrypt.protocol.announcement import (
    ANNOUNCEMENT_DTYPE,
    ANNOUNCEMENT_SIZE,
    UNUSABLE_KEYS,
    VERSION,
)
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.set_selection import AnnouncementClass

MAX_CLASSES: Final = 1024

#: Announcements that are hashed and taken at a time: 4 MiB, so that nobody waits long for the lock.
_PIECE: Final = 4096

#: What eviction frees at least, as a part of the store, so that it is seldom needed.
EVICTED_PART: Final = 1 / 64

_UNUSABLE_KEYS: Final = np.array(UNUSABLE_KEYS, np.uint64)

ClassKey = tuple[int, int]
"""parent height, work bits"""


@dataclass(frozen=True)
class AddedAnnouncements:
    """What became of announcements that were offered to a store.

    taken      : they are in it now
    duplicates : they were in it before
    unusable   : no block can be mined with them, now or later
    dropped    : there was no room but that of announcements worth as much or more
    """

    taken: int = 0
    duplicates: int = 0
    unusable: int = 0
    dropped: int = 0

    def __add__(self, other: "AddedAnnouncements") -> "AddedAnnouncements":
        return AddedAnnouncements(
            self.taken + other.taken,
            self.duplicates + other.duplicates,
            self.unusable + other.unusable,
            self.dropped + other.dropped,
        )


@dataclass(frozen=True, eq=False)
class PinnedRows:
    """Announcements of some classes, ascending by dedup key, no key twice.

    keys : (n,) uint64
    rows : (n,) uint32; as long as anybody holds this object their contents do not change
    """

    keys: Keys
    rows: Rows

    def has_any(self, keys: Keys) -> bool:
        """Whether announcements with any of these dedup keys, (n,) uint64, are among them."""
        places = np.searchsorted(self.keys, keys)
        return bool((self.keys[np.minimum(places, len(self.keys) - 1)] == keys).any())


class AnnouncementStore:
    """Announcements in `memory`. Thread-safe.

    memory   : (n, 1024) uint8; n > capacity if the rows behind are used for something else
    capacity : announcements it may hold
    evicted_part : what eviction frees at least, as a part of the capacity
    """

    def __init__(
        self, memory: npt.NDArray[np.uint8], capacity: int, evicted_part: float = EVICTED_PART
    ) -> None:
        self.capacity = capacity
        self._least_evicted = int(evicted_part * capacity)
        self._memory = memory
        self._lock = threading.Lock()
        self._height = 0
        self._classes: dict[ClassKey, KeyIndex] = {}
        self._hashes = np.empty((capacity, 4), np.uint64)
        self._owned = np.zeros(capacity, np.bool_)  # by a class
        self._pins = np.zeros(capacity, np.uint16)
        self._free = FreeRows(capacity)
        # Sets may be forgotten in any thread and at any moment: the rows wait here for the next
        # caller who has the lock.
        self._unpinned: deque[Rows] = deque()
        self._followers: list[RowChanges] = []

    def follow(self) -> RowChanges:
        """What a device must be told of from now on; every row so far is a change."""
        with self._lock:
            changes = RowChanges(self._lock, self.capacity)
            for index in self._classes.values():
                changes.note(index.sorted().rows)
            self._followers.append(changes)
        return changes

    @property
    def height(self) -> int:
        """The height that is mined."""
        return self._height

    def set_height(self, height: int) -> None:
        """A block of this height is mined now: drop announcements that are too old for it."""
        with self._lock:
            self._height = height
            for key in [key for key in self._classes if not self._worth(key)]:
                self._drop_class(key)

    def add(self, announcements: npt.NDArray[np.uint8]) -> AddedAnnouncements:
        """Take valid announcements, (n, 1024) uint8, that are not there yet.

        Raises `DecodeError` for an array of another shape.
        """
        _refuse_other_shapes(announcements)
        added = AddedAnnouncements()
        for first in range(0, len(announcements), _PIECE):
            added += self._add_piece(np.ascontiguousarray(announcements[first : first + _PIECE]))
        return added

    def classes(self) -> list[AnnouncementClass]:
        """How many announcements there are of which kind."""
        with self._lock:
            return [
                AnnouncementClass(parent_height, work_bits, len(index))
                for (parent_height, work_bits), index in self._classes.items()
            ]

    @property
    def free(self) -> int:
        """Rows without an announcement."""
        with self._lock:
            self._reclaim()
            return len(self._free)

    def pin(self, classes: Iterable[AnnouncementClass]) -> PinnedRows:
        """Announcements of these classes, at most their counts, in order, to build a set of."""
        runs: list[KeyRows] = []
        with self._lock:
            for wanted in classes:
                index = self._classes.get((wanted.parent_height, wanted.work_bits))
                runs += _first(wanted.count, index.runs if index is not None else ())
            for run in runs:
                self._pins[run.rows] += 1
        keys, rows = merged(runs)
        pinned = rows
        different = np.ones(len(keys), np.bool_)
        different[1:] = keys[1:] != keys[:-1]  # of equal keys in two classes one counts (spec 1 §5)
        if not different.all():
            keys, rows = keys[different], rows[different]
        result = PinnedRows(keys, rows)
        weakref.finalize(result, self._unpinned.append, pinned).atexit = False
        return result

    def announcement(self, row: int) -> bytes:
        """The 1024 bytes in a pinned row."""
        announcement: bytes = self._memory[row].tobytes()
        return announcement

    def hashes(self, rows: Rows, out: npt.NDArray[np.uint8]) -> None:
        """Put H32 of the announcements in n pinned rows into `out`, (n, 32) uint8."""
        np.take(self._hashes, rows, axis=0, out=out.view(np.uint64), mode="clip")

    def forget(self, keys: Keys) -> int:
        """Drop announcements by dedup key, because they proved bad; how many there were."""
        forgotten = 0
        keys = keys.astype(np.uint64)  # NumPy would compare others as doubles
        with self._lock:
            for key, index in list(self._classes.items()):
                everything = index.sorted()
                rows = everything.rows[np.isin(everything.keys, keys)]
                forgotten += len(rows)
                self._drop(key, rows)
        return forgotten

    def forget_parents(self, heights: Iterable[int]) -> int:
        """Drop the announcements with parents at these heights; how many there were.

        A reorganisation replaced those blocks, and announcements are valid for one parent only.
        """
        gone = frozenset(heights)
        forgotten = 0
        with self._lock:
            for key in [key for key in self._classes if key[0] in gone]:
                forgotten += len(self._classes[key])
                self._drop_class(key)
        return forgotten

    def knows(self, announcements: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which of (n, 1024) uint8 announcements are in the store: (n,) bool.

        Raises `DecodeError` for an array of another shape.
        """
        _refuse_other_shapes(announcements)
        announcements = np.ascontiguousarray(announcements)
        keys = _hashes_of(announcements)[:, 0]
        heights = announcements.view(ANNOUNCEMENT_DTYPE)[:, 0]["parent_height"]
        known = np.zeros(len(keys), np.bool_)
        with self._lock:
            for (parent_height, _), index in self._classes.items():
                members = np.flatnonzero(heights == parent_height)
                if len(members):
                    known[members] |= index.contains(keys[members])
        return known

    def _add_piece(self, announcements: npt.NDArray[np.uint8]) -> AddedAnnouncements:
        hashes = _hashes_of(announcements)
        records = announcements.view(ANNOUNCEMENT_DTYPE).reshape(-1)
        kinds = records["parent_height"].astype(np.uint64) << np.uint64(32) | records["work_bits"]
        usable = (records["version"] == VERSION) & ~np.isin(hashes[:, 0], _UNUSABLE_KEYS)
        added = AddedAnnouncements(unusable=int(len(usable) - usable.sum()))
        for kind in np.unique(kinds[usable]).tolist():
            members = np.flatnonzero(usable & (kinds == kind))
            key = (kind >> 32, kind & 0xFFFFFFFF)
            with self._lock:
                added += self._add_to_class(key, announcements, hashes, members)
        return added

    def _add_to_class(
        self,
        key: ClassKey,
        announcements: npt.NDArray[np.uint8],
        hashes: npt.NDArray[np.uint64],
        members: npt.NDArray[np.intp],
    ) -> AddedAnnouncements:
        worth = self._worth(key)
        if not worth:
            return AddedAnnouncements(unusable=len(members))
        keys, first = np.unique(hashes[members, 0], return_index=True)
        index = self._classes.get(key, KeyIndex())
        new = ~index.contains(keys)
        keys, chosen = keys[new], members[first[new]]
        duplicates = len(members) - len(keys)
        room = self._make_room(len(keys), key, worth)
        keys, chosen, dropped = keys[:room], chosen[:room], len(keys) - room
        if room:
            rows = self._free.take(room)
            self._memory[rows] = announcements[chosen]
            self._hashes[rows] = hashes[chosen]
            self._owned[rows] = True
            for follower in self._followers:
                follower.note(rows)
            self._classes.setdefault(key, index).insert(KeyRows(keys, rows))
        return AddedAnnouncements(taken=room, duplicates=duplicates, dropped=dropped)

    def _worth(self, key: ClassKey) -> int:
        """What announcements of a class will be worth; 0 if no block can be mined with them."""
        parent_height, work_bits = key
        return worth_of(work_bits, max(0, self._height - parent_height))

    def _make_room(self, wanted: int, key: ClassKey, worth: int) -> int:
        """Free rows for up to `wanted` announcements of a class, at the cost of lesser ones."""
        self._reclaim()
        if key not in self._classes and len(self._classes) >= MAX_CLASSES:
            least = next(self._lesser_classes(worth), None)
            if least is None:
                return 0
            self._drop_class(least)
        for lesser in self._lesser_classes(worth):
            missing = wanted - len(self._free)
            if missing <= 0:
                break
            rows = self._classes[lesser].sorted().rows
            loose = rows[self._pins[rows] == 0]
            self._drop(lesser, loose[: max(missing, self._least_evicted)])
        return min(wanted, len(self._free))

    def _lesser_classes(self, worth: int) -> Iterator[ClassKey]:
        """Classes worth less, the least first; of equal ones the oldest."""
        ranked = sorted((self._worth(key), key) for key in self._classes)
        return (key for value, key in ranked if value < worth)

    def _drop_class(self, key: ClassKey) -> None:
        self._drop(key, self._classes[key].sorted().rows)

    def _drop(self, key: ClassKey, rows: Rows) -> None:
        """Take rows from a class; they are free as soon as nobody has them pinned."""
        index = self._classes[key]
        if len(rows):
            index.remove(rows)
        if not len(index):
            del self._classes[key]
        self._owned[rows] = False
        self._free.give(rows[self._pins[rows] == 0])

    def _reclaim(self) -> None:
        """Unpin the rows of forgotten sets."""
        while self._unpinned:
            rows = self._unpinned.popleft()
            self._pins[rows] -= 1
            self._free.give(rows[(self._pins[rows] == 0) & ~self._owned[rows]])


def _refuse_other_shapes(announcements: npt.NDArray[np.uint8]) -> None:
    if announcements.dtype != np.uint8 or announcements.shape[1:] != (ANNOUNCEMENT_SIZE,):
        raise DecodeError(
            f"announcements have shape {announcements.shape} and type {announcements.dtype}: "
            f"give an array of shape (n, {ANNOUNCEMENT_SIZE}) and type uint8"
        )


def _hashes_of(announcements: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """H32 of each, (n, 4) uint64; the first word is the dedup key."""
    digests = b"".join([h32(announcement.tobytes()) for announcement in announcements])
    return np.frombuffer(digests, np.uint64).reshape(-1, 4)


def _first(count: int, runs: Iterable[KeyRows]) -> Iterator[KeyRows]:
    """The first `count` announcements of some runs, as runs."""
    for run in runs:
        yield KeyRows(run.keys[:count], run.rows[:count])
        count -= min(count, len(run.keys))
