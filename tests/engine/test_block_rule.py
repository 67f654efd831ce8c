"""When a better set is built: the rule against a clock that the test sets."""

import pytest

from packetcrypt.engine.block_rule import BLOCK_S, BuildRule

HEIGHT = 1000


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rule(clock: Clock) -> BuildRule:
    """One that has seen its height already, with nothing to gain."""
    rule = BuildRule(clock)
    assert not rule.pays(HEIGHT, 100, 100, 1.0)
    return rule


def test_without_a_usable_set_any_set_is_built(rule: BuildRule) -> None:
    assert rule.pays(HEIGHT, 1, 0, 1e9)


def test_nothing_is_built_without_gain(rule: BuildRule, clock: Clock) -> None:
    clock.now = 1e6
    assert not rule.pays(HEIGHT, 100, 100, 0.0001)
    assert not rule.waiting


def test_a_new_height_builds_at_once_what_pays_until_the_next_block(rule: BuildRule) -> None:
    build_s = 0.5
    worthwhile = 1 + build_s / BLOCK_S
    assert rule.pays(HEIGHT + 1, int(1e6 * worthwhile) + 1, 1_000_000, build_s)
    assert not rule.pays(HEIGHT + 2, int(1e6 * worthwhile) - 1, 1_000_000, build_s)


def test_at_the_same_height_a_set_is_built_when_as_much_is_lost_as_it_costs(
    rule: BuildRule, clock: Clock
) -> None:
    assert not rule.pays(HEIGHT, 150, 100, 2.0)  # gains half a second each second
    assert rule.waiting
    clock.now += 3.9
    assert not rule.pays(HEIGHT, 150, 100, 2.0)
    clock.now += 0.1
    assert rule.pays(HEIGHT, 150, 100, 2.0)


def test_what_was_lost_is_forgotten_with_the_new_set(rule: BuildRule, clock: Clock) -> None:
    rule.pays(HEIGHT, 200, 100, 10.0)
    clock.now += 9.0
    rule.built()
    assert not rule.waiting
    assert not rule.pays(HEIGHT, 400, 200, 10.0)
    clock.now += 9.0
    assert not rule.pays(HEIGHT, 400, 200, 10.0)


@pytest.mark.parametrize(("growth", "build_s"), [(0.02, 0.25), (0.1, 0.25), (0.1, 2.0)])
def test_with_steady_announcements_the_best_interval_is_found(
    rule: BuildRule, clock: Clock, growth: float, build_s: float
) -> None:
    """Gains that grow by g a second, c seconds of building: best every √(2c/g) seconds."""
    best_interval = (2 * build_s / growth) ** 0.5
    step = best_interval / 1000
    while not rule.pays(HEIGHT, int(1e9 * (1 + growth * clock.now)), 10**9, build_s):
        clock.now += step
    assert clock.now == pytest.approx(best_interval, rel=0.01)
