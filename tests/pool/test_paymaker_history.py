"""What the paymaker keeps in memory: in order, whatever the order in which it came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.ledger_rows import ANNOUNCEMENT_POST, BLOCK, SHARE, LedgerRows, Rows, Win
from packetcrypt.pool.paymaker_history import History

TARGET = 0x2000FFFF  # 256 hashes


def posts(*rows: tuple[int, int, int, int, int]) -> Rows:
    """Of (time, total_length, address, accepted, unsigned)."""
    return np.array([(*row, TARGET) for row in rows], ANNOUNCEMENT_POST)


@pytest.mark.parametrize(("is_signing", "paid"), [(False, 8), (True, 5)])
def test_work_of_posts(is_signing: bool, paid: int) -> None:
    history = History(is_signing=is_signing)
    history.add(LedgerRows(posts((5, 2 * 16384, 1, 10, 3)), addresses=("a", "b")))
    snapshot = history.snapshot()
    assert snapshot.announcements.tolist() == [(5, 1, 10, 256.0 * paid, 2560.0)]
    assert snapshot.addresses == ("a", "b")


def test_more_unsigned_than_accepted_is_nothing() -> None:
    history = History(is_signing=True)
    history.add(LedgerRows(posts((5, 0, 0, 1, 4_000_000_000))))
    assert history.snapshot().announcements["work"].tolist() == [0.0]


def test_a_post_of_nothing_may_have_any_target() -> None:
    history = History(is_signing=False)
    history.add(LedgerRows(np.array([(5, 0, 0, 0, 0, 0xFFFFFFFF)], ANNOUNCEMENT_POST)))
    assert history.snapshot().announcements["work"].tolist() == [0.0]


def test_work_of_shares() -> None:
    history = History(is_signing=True)
    history.add(LedgerRows(shares=np.array([(5, 1, TARGET, 99.0)], SHARE)))
    assert history.snapshot().shares.tolist() == [(5, 1, 0, 256.0, 99.0)]


@given(st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=8))
def test_rows_ascend_in_time_and_none_is_lost(batches: list[list[int]]) -> None:
    history = History(is_signing=False)
    every_other = False
    for number, times in enumerate(batches):
        history.add(LedgerRows(posts(*((time, 0, number, 1, 0) for time in times))))
        every_other = not every_other
        if every_other:
            history.snapshot()
    rows = history.snapshot().announcements[["time", "address"]].tolist()
    told = [(time, number) for number, times in enumerate(batches) for time in times]
    assert [time for time, _ in rows] == sorted(time for time, _ in told)
    assert sorted(rows) == sorted(told)


def test_a_snapshot_never_changes() -> None:
    history = History(is_signing=False)
    history.add(LedgerRows(posts((5, 0, 0, 1, 0), (9, 0, 0, 1, 0)), addresses=("a",)))
    before = history.snapshot()
    history.add(LedgerRows(posts((7, 0, 1, 1, 0)), addresses=("b",)))
    history.snapshot()
    history.forget_before(8)
    assert before.announcements["time"].tolist() == [5, 9]
    assert before.addresses == ("a",)


def test_what_is_forgotten() -> None:
    history = History(is_signing=False)
    history.add(
        LedgerRows(
            posts((5, 0, 0, 1, 0), (10, 0, 0, 1, 0)),
            np.array([(4, 0, TARGET, 1.0), (11, 0, TARGET, 1.0)], SHARE),
            np.array([(1, 1.0), (9, 2.0), (12, 3.0)], BLOCK),
            (Win(8, None), Win(3, None), Win(13, None)),
        )
    )
    history.forget_before(10)
    snapshot = history.snapshot()
    assert snapshot.announcements["time"].tolist() == [10]
    assert snapshot.shares["time"].tolist() == [11]
    # Work after it is worth what the last block before says.
    assert snapshot.blocks["time"].tolist() == [9, 12]
    assert [win.time for win in snapshot.wins] == [8, 13]
    assert history.size().events == 4
