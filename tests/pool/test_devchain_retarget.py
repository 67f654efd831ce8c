"""Block times settle, whatever hash power and announcements do: simulated, so at any speed."""

import random
import statistics
from collections.abc import Callable

import pytest

from packetcrypt.pool.devchain_retarget import FIRST_BITS, PastBlock, next_bits
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import work_of_compact
from packetcrypt.protocol.set_selection import AnnouncementClass, best_set

GOAL = 30.0
ANN_BITS = 0x2000FFFF
STARTED = 15.0
"""seconds until the first announcements come"""
CHANGE = 600.0
PATIENCE = 4

Speed = Callable[[float], float]


def _simulate(
    seed: int, hashes: Speed, announcements: Speed, blocks: int, *, displaced: bool = False
) -> list[float]:
    """Seconds that each of so many blocks took, overdue ones included.

    displaced : each block that is found is displaced by two made-up ones
    """
    chance = random.Random(seed)
    past = [PastBlock(None, FIRST_BITS, None)]
    classes: dict[int, float] = {}
    tip, now, step = 1_000_000, 0.0, 0.5
    times: list[float] = []
    while len(times) < blocks:
        bits = next_bits(past, GOAL)
        needed, seconds = chance.expovariate(1.0), 0.0
        found = None
        while found is None and seconds < PATIENCE * GOAL:
            seconds, now = seconds + step, now + step
            if now < STARTED:
                continue
            classes[tip - 2] = classes.get(tip - 2, 0.0) + announcements(now) * step
            usable = (
                AnnouncementClass(height, ANN_BITS, int(count))
                for height, count in classes.items()
                if tip - height < 12
            )
            chosen = best_set(usable, tip + 1)
            if chosen is None or seconds < 2:
                continue
            power = 1024 * work_of_compact(chosen.max_target) * chosen.count**2
            needed -= hashes(now) * step / max(1.0, work_of_compact(bits) ** 3 / power)
            if needed <= 0:
                found = BlockCommitment(chosen.max_target, bytes(32), chosen.count)
        is_first = found is not None and not any(block.commitment for block in past)
        past.insert(0, PastBlock(None if is_first else seconds, bits, found))
        times.append(seconds)
        tip += 1
        if displaced and found is not None:
            past[:0] = PastBlock(None, next_bits(past, GOAL), None), PastBlock(None, bits, None)
            tip += 1
    return times


def _later(before: float, after: float) -> Speed:
    return lambda now: after if now > CHANGE else before


def _steady(speed: float) -> Speed:
    return lambda _: speed


def _growing(speed: float) -> Speed:
    return lambda now: speed * min(50.0, 1 + now / 60)


@pytest.mark.parametrize(
    ("hashes", "announcements"),
    [
        pytest.param(_steady(40e3), _steady(750), id="two cores"),
        pytest.param(_steady(5e6), _steady(100_000), id="a GPU"),
        pytest.param(_growing(40e3), _growing(750), id="growing"),
        pytest.param(_later(40e3, 4e6), _steady(750), id="hash power x100"),
        pytest.param(_steady(40e3), _later(750, 75_000), id="announcements x100"),
        pytest.param(_later(40e3, 4e3), _steady(750), id="hash power /10"),
        pytest.param(_steady(40e3), _later(750, 75), id="announcements /10"),
    ],
)
def test_blocks_settle_at_the_goal(hashes: Speed, announcements: Speed) -> None:
    settled = [
        seconds for seed in range(4) for seconds in _simulate(seed, hashes, announcements, 60)[45:]
    ]
    assert 20 < statistics.mean(settled) < 60


@pytest.mark.parametrize(
    ("hashes", "announcements"),
    [
        pytest.param(_steady(40e3), _steady(750), id="two cores"),
        pytest.param(_steady(5e6), _steady(100_000), id="a GPU"),
        pytest.param(_later(40e3, 4e6), _steady(750), id="hash power x100"),
    ],
)
def test_blocks_settle_though_each_is_displaced(hashes: Speed, announcements: Speed) -> None:
    settled = [
        seconds
        for seed in range(4)
        for seconds in _simulate(seed, hashes, announcements, 60, displaced=True)[45:]
    ]
    assert 20 < statistics.mean(settled) < 60


@pytest.mark.parametrize("seed", range(4))
def test_the_first_blocks_of_two_cores_come_within_half_a_minute(seed: int) -> None:
    first, *others = _simulate(seed, _steady(40e3), _steady(750), 4)
    assert first - STARTED < GOAL
    assert statistics.mean(others) < GOAL


def test_the_first_block() -> None:
    assert next_bits([], GOAL) == FIRST_BITS


def _block(seconds: float | None, count: int = 1000) -> PastBlock:
    return PastBlock(seconds, FIRST_BITS, BlockCommitment(ANN_BITS, bytes(32), count))


def test_a_hundredfold_power_is_its_cube_root_of_work() -> None:
    # The newest block took no known time, so that the hash rate is that of the others.
    few, many = (
        work_of_compact(next_bits([_block(None, count), *[_block(GOAL)] * 29], GOAL))
        for count in (1000, 10_000)
    )
    assert many == pytest.approx(few * 100 ** (1 / 3), rel=1e-3)


@pytest.mark.parametrize(("seconds", "change"), [(GOAL, 1.0), (2 * GOAL, 0.5), (GOAL / 2, 2.0)])
def test_work_is_corrected_by_the_cube_root_of_the_times(seconds: float, change: float) -> None:
    work = work_of_compact(next_bits([_block(seconds)] * 30, GOAL))
    assert work == pytest.approx(work_of_compact(FIRST_BITS) * change ** (1 / 3), rel=0.01)


def test_an_overdue_block_makes_the_next_one_easier_and_another_made_up_one_does_not() -> None:
    history = [_block(GOAL)] * 3
    overdue, displacing = PastBlock(120.0, FIRST_BITS, None), PastBlock(None, FIRST_BITS, None)
    assert next_bits([displacing, displacing, *history], GOAL) == next_bits(history, GOAL)
    work = work_of_compact(FIRST_BITS)
    assert work_of_compact(next_bits([overdue, *history], GOAL)) == pytest.approx(
        work / 2, rel=1e-3
    )
