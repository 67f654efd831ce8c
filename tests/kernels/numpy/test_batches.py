"""Batches cover a launch, each nonce once, and their finds come back in order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.numpy.batches import cut, joined


@given(
    first=st.integers(0, 1 << 24),
    count=st.integers(0, 1 << 17),
    cores=st.integers(1, 64),
    batch=st.sampled_from([256, 4096, 8192]),
)
def test_every_nonce_is_in_one_batch(first: int, count: int, cores: int, batch: int) -> None:
    batches = cut(first, count, cores, batch)
    assert all(0 < size <= batch for _, size in batches)
    starts = [start for start, _ in batches]
    ends = [start + size for start, size in batches]
    assert [*starts, first + count] == [first, *ends]


def test_all_cores_have_equal_shares() -> None:
    assert [size for _, size in cut(0, 3 * 5000, 3, 8192)] == [5000] * 3


def test_finds_are_ordered_by_nonce() -> None:
    found = joined(_found(nonces) for nonces in ([7, 9], [], [1, 3], [20]))
    assert found.soft_nonces.tolist() == [1, 3, 7, 9, 20]
    assert found.keys.tolist() == [101, 103, 107, 109, 120]
    assert found.announcements[:, 0].tolist() == [1, 3, 7, 9, 20]


def test_nothing_found() -> None:
    found = joined([])
    assert (found.announcements.shape, found.keys.shape) == ((0, 1024), (0,))


def _found(nonces: list[int]) -> FoundAnnouncements:
    announcements = np.zeros((len(nonces), 1024), np.uint8)
    announcements[:, 0] = nonces
    keys = np.array([100 + nonce for nonce in nonces], np.uint64)
    return FoundAnnouncements(announcements, keys, np.array(nonces, np.uint32))
