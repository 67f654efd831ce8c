"""What the paymaker keeps in memory of its ledger: the last days, ready to be counted.

Made anew from the ledger at every start; nothing is here that is not there.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from packetcrypt.pool.ledger_rows import BLOCK, LedgerRows, Rows, Win, no_rows
from packetcrypt.pool.payout_credits import counted_announcements, work_of_targets

WORK: Final = np.dtype(
    [
        ("time", np.int64),
        ("address", np.int64),
        ("announcements", np.int64),
        ("work", np.float64),
        ("encryptions", np.float64),
    ]
)
"""Paid work: `work` is in hashes, of what is paid only; `announcements` and `encryptions` are what
was done. Announcements of shares are 0."""


@dataclass(frozen=True)
class Snapshot:
    """The history at one moment. Its arrays are ascending in time, and never change.

    addresses        : names by number
    announcements    : posts of announcements, `WORK`
    shares           : `WORK`
    blocks           : `BLOCK`
    wins             : oldest first
    first_difficulty : for work before any block; None: not known yet
    """

    addresses: tuple[str, ...]
    announcements: Rows
    shares: Rows
    blocks: Rows
    wins: tuple[Win, ...]
    first_difficulty: float | None


@dataclass(frozen=True)
class HistorySize:
    """How many of each are in memory."""

    anns: int
    shares: int
    blocks: int
    addresses: int

    @property
    def events(self) -> int:
        return self.anns + self.shares + self.blocks


class _Timeline:
    """Rows in the order of time, although they come a little out of it."""

    def __init__(self, kind: np.dtype[np.void]) -> None:
        self._sorted = no_rows(kind)
        self._new: list[Rows] = []

    def __len__(self) -> int:
        return len(self._sorted) + sum(map(len, self._new))

    def add(self, rows: Rows) -> None:
        if len(rows):
            self._new.append(rows)

    def sorted(self) -> Rows:
        if self._new:
            new = _ascending(_joined(self._new))
            self._new.clear()
            # Only what is newer than the oldest new row can change its place.
            place = np.searchsorted(self._sorted["time"], new["time"][0], side="right")
            end = _ascending(_joined([self._sorted[place:], new]))
            self._sorted = _joined([self._sorted[:place], end])
        return self._sorted

    def forget_before(self, time: int, *, keep: int = 0) -> None:
        """Drops older rows, all but the newest `keep` of them."""
        rows = self.sorted()
        first = max(0, int(np.searchsorted(rows["time"], time)) - keep)
        if first:
            self._sorted = rows[first:].copy()


def _joined(pieces: Sequence[Rows]) -> Rows:
    filled = [piece for piece in pieces if len(piece)]
    return filled[0] if len(filled) == 1 else np.concatenate(filled)


def _ascending(rows: Rows) -> Rows:
    times = np.ascontiguousarray(rows["time"])
    if np.all(times[1:] >= times[:-1]):
        return rows
    return rows[np.argsort(times, kind="stable")]


class History:
    """The history. Safe to use from several threads.

    is_signing : whether the pool signs announcements, so that it pays only signed ones
    """

    def __init__(self, *, is_signing: bool) -> None:
        self._is_signing = is_signing
        self._lock = threading.Lock()
        self._addresses: list[str] = []
        self._announcements = _Timeline(WORK)
        self._shares = _Timeline(WORK)
        self._blocks = _Timeline(BLOCK)
        self._wins: list[Win] = []
        self._first_difficulty: float | None = None

    def add(self, rows: LedgerRows) -> None:
        """Takes up what the ledger has."""
        announcements = _announcement_work(rows.announcement_posts, is_signing=self._is_signing)
        shares = _share_work(rows.shares)
        with self._lock:
            self._addresses += rows.addresses
            self._announcements.add(announcements)
            self._shares.add(shares)
            self._blocks.add(rows.blocks)
            self._wins = _by_time([*self._wins, *rows.wins]) if rows.wins else self._wins

    def set_first_difficulty(self, difficulty: float) -> None:
        """What counts for work before any block."""
        with self._lock:
            self._first_difficulty = difficulty

    def forget_before(self, time: int) -> None:
        """Drops older events, but for the newest block and win among them: they count on."""
        with self._lock:
            self._announcements.forget_before(time)
            self._shares.forget_before(time)
            self._blocks.forget_before(time, keep=1)
            old = sum(win.time < time for win in self._wins)
            self._wins = self._wins[max(0, old - 1) :]

    def snapshot(self) -> Snapshot:
        """The history now."""
        with self._lock:
            return Snapshot(
                tuple(self._addresses),
                self._announcements.sorted(),
                self._shares.sorted(),
                self._blocks.sorted(),
                tuple(self._wins),
                self._first_difficulty,
            )

    def size(self) -> HistorySize:
        """What is in memory now."""
        with self._lock:
            return HistorySize(
                len(self._announcements),
                len(self._shares),
                len(self._blocks),
                len(self._addresses),
            )


def _by_time(wins: Iterable[Win]) -> list[Win]:
    return sorted(wins, key=lambda win: win.time)


def _announcement_work(posts: Rows, *, is_signing: bool) -> Rows:
    work_of_one = work_of_targets(posts["target"])
    # Where nothing was accepted the target says nothing, and may be one of endless work.
    work_of_one[posts["accepted"] == 0] = 0.0
    counted = counted_announcements(
        posts["accepted"].astype(np.int64),
        posts["unsigned"].astype(np.int64),
        posts["total_length"],
        is_signing=is_signing,
    )
    rows = np.empty(len(posts), WORK)
    rows["time"], rows["address"] = posts["time"], posts["address"]
    rows["announcements"] = posts["accepted"]
    rows["work"] = work_of_one * counted
    rows["encryptions"] = work_of_one * posts["accepted"]
    return rows


def _share_work(shares: Rows) -> Rows:
    rows = np.zeros(len(shares), WORK)
    for name in ("time", "address", "encryptions"):
        rows[name] = shares[name]
    rows["work"] = work_of_targets(shares["target"])
    return rows
