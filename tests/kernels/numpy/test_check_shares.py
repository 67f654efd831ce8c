"""Each announcement to be checked is in one share, with the others of its job."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packetcrypt.kernels.numpy.check_shares import shares
from packetcrypt.protocol.announcement import VERSION, AnnouncementHeader


def announcements_of(jobs: list[int]) -> np.ndarray:
    """Some for each: the hard nonces of their jobs, −1 for one of a wrong version."""
    rows = np.zeros((len(jobs), 1024), np.uint8)
    for row, job in zip(rows, jobs, strict=True):
        header = AnnouncementHeader(hard_nonce=max(job, 0), work_bits=0x2001FFFF, parent_height=5)
        encoded = header.encode()
        row[: len(encoded)] = np.frombuffer(encoded, np.uint8)
        row[0] = VERSION if job >= 0 else VERSION + 1
    return rows


@settings(max_examples=30)
@given(jobs=st.lists(st.integers(-1, 5), max_size=40), count=st.integers(1, 5))
def test_each_once_and_jobs_together(jobs: list[int], count: int) -> None:
    dealt = shares(announcements_of(jobs), np.zeros((len(jobs), 32), np.uint8), count)

    assert len(dealt) <= count
    assert sorted(index for share in dealt for index in share) == list(range(len(jobs)))
    where = {jobs[index]: number for number, share in enumerate(dealt) for index in share}
    assert all(
        where[jobs[index]] == number for number, share in enumerate(dealt) for index in share
    )


@pytest.mark.parametrize(
    ("jobs", "sizes"),
    [
        pytest.param([0] * 8 + [1] * 8, [8, 8], id="two jobs"),
        pytest.param([0] * 500 + [1] * 30 + [2] * 20, [500, 50], id="small ones together"),
        pytest.param([0], [1], id="one announcement"),
        pytest.param([], [], id="none"),
    ],
)
def test_equal_shares(jobs: list[int], sizes: list[int]) -> None:
    dealt = shares(announcements_of(jobs), np.zeros((len(jobs), 32), np.uint8), 2)
    assert [len(share) for share in dealt] == sizes
