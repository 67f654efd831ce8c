"""Who gets which part of a payout."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.payout_split import PayoutRules, split

RULES = PayoutRules(
    default_address="pool",
    pool_fee=0.0,
    pool_fee_address="",
    block_part=0.5,
    block_constant=2.0,
    announcement_constant=0.125,
)
WITH_FEE = replace(RULES, pool_fee=0.2, pool_fee_address="fee")


def test_in_the_beginning_the_default_address_gets_all() -> None:
    assert split(RULES, []) == {"pool": 1.0}


def test_what_remains_is_the_default_addresss() -> None:
    assert split(RULES, [("a", 0.25), ("b", 0.5)]) == {"b": 0.5, "a": 0.25, "pool": 0.25}


def test_the_fee_comes_off_the_top() -> None:
    payout = split(WITH_FEE, [("a", 0.25), ("b", 0.5)])
    assert payout == pytest.approx({"b": 0.4, "a": 0.2, "fee": 0.2, "pool": 0.2})


def test_one_address_in_several_roles() -> None:
    rules = replace(WITH_FEE, default_address="fee")
    payout = split(rules, [("fee", 0.25), ("fee", 0.25)])
    assert payout == pytest.approx({"fee": 1.0})


def test_rounding_is_no_payment() -> None:
    assert "pool" not in split(RULES, [("a", 0.1)] * 10)


def test_who_earned_nothing_is_left_out() -> None:
    assert split(RULES, [("a", 0.0), ("b", 1.0)]) == {"b": 1.0}


@given(
    weights=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 1)), max_size=20),
    earned=st.floats(0, 1),
    fee=st.floats(0, 0.99),
)
def test_fractions_sum_up_to_1(weights: list[tuple[str, float]], earned: float, fee: float) -> None:
    total = math.fsum(weight for _, weight in weights) or 1.0
    shares = [(name, weight / total * earned) for name, weight in weights]
    payout = split(replace(WITH_FEE, pool_fee=fee), shares)
    assert math.fsum(payout.values()) == pytest.approx(1.0, abs=1e-9)
    assert all(fraction > 0 for fraction in payout.values())
    assert list(payout.values()) == sorted(payout.values(), reverse=True)
