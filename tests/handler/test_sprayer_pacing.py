"""Bursts are spread; none is held back for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.handler.sprayer_pacing import SPREAD_SECONDS, Pacer

BURST, UNIT = 126, 63


def _spray(waiting: int, seconds: float, step: float = 0.001, max_rate: int = 10**9) -> list[int]:
    """What is granted at each step of a simulated time."""
    pacer = Pacer(max_rate, BURST, UNIT, 0.0)
    grants = []
    for tick in range(1, round(seconds / step) + 1):
        grants.append(pacer.grant(waiting, 1, tick * step))
        waiting -= grants[-1]
    return grants


def test_a_burst_is_spread() -> None:
    grants = _spray(4096, 10 * SPREAD_SECONDS)
    assert sum(grants) == 4096
    assert max(grants) <= BURST
    # An exponential decay: after one spread 1 − 1/e are gone.
    assert 0.5 * 4096 < sum(grants[: round(SPREAD_SECONDS / 0.001)]) < 0.75 * 4096


def test_whole_datagrams_go_while_there_are_enough() -> None:
    grants = [grant for grant in _spray(4096, 10 * SPREAD_SECONDS) if grant]
    assert set(grants[:-1]) <= {UNIT, 2 * UNIT}
    assert grants[-1] == 4096 % UNIT


def test_a_single_one_does_not_wait_for_company_for_ever() -> None:
    assert sum(_spray(1, 2 * SPREAD_SECONDS)) == 1


def test_the_rate_has_a_limit() -> None:
    assert sum(_spray(10**6, 1.0, max_rate=10_000)) == pytest.approx(10_000, abs=UNIT)


def test_after_a_pause_no_more_than_a_burst_goes() -> None:
    pacer = Pacer(10**9, BURST, UNIT, 0.0)
    assert pacer.grant(10**6, 1, 3600.0) == BURST
    assert pacer.grant(10**6, 1, 3600.0) == 0


def test_receivers_with_more_sockets_take_larger_bursts() -> None:
    pacer = Pacer(10**9, BURST, UNIT, 0.0)
    assert pacer.grant(10**6, 4, 3600.0) == 4 * BURST


def test_nothing_goes_of_nothing() -> None:
    assert Pacer(10**9, BURST, UNIT, 0.0).grant(0, 1, 3600.0) == 0


@given(
    waiting=st.integers(1, 10**5),
    max_rate=st.integers(1, 10**6),
    burst=st.integers(1, 1000),
    shares=st.integers(1, 16),
)
def test_pauses_lead_to_a_grant(waiting: int, max_rate: int, burst: int, shares: int) -> None:
    pacer = Pacer(max_rate, burst, UNIT, 0.0)
    now = 0.0
    for _ in range(100_000):
        if granted := pacer.grant(waiting, shares, now):
            assert granted <= min(waiting, burst * shares)
            return
        pause = pacer.pause(waiting, shares)
        assert 0 < pause <= 0.01
        now += 100 * pause
    pytest.fail("nothing was ever granted")
