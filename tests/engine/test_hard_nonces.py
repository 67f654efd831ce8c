"""Hard nonces: no two workers and no two runs get the same."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.engine.hard_nonces import HardNonces

NONCES = 50


@given(workers=st.integers(1, 9), start=st.integers(0, 2**32 - 1))
def test_workers_share_out_consecutive_nonces(workers: int, start: int) -> None:
    dealt = HardNonces(workers, start)

    nonces = [n for w in range(workers) for n in islice(dealt.of_worker(w), NONCES)]

    assert sorted(nonces) == sorted((start + i) % 2**32 for i in range(workers * NONCES))


@pytest.mark.parametrize(("worker", "expected"), [(0, [0xFFFFFFFE, 0, 2]), (1, [0xFFFFFFFF, 1, 3])])
def test_nonces_wrap_to_u32(worker: int, expected: list[int]) -> None:
    nonces = HardNonces(2, 0xFFFFFFFE).of_worker(worker)

    assert list(islice(nonces, 3)) == expected


def test_every_run_starts_elsewhere() -> None:
    starts = {next(HardNonces(1).of_worker(0)) for _ in range(20)}

    assert len(starts) == 20
