"""Blocks come at the goal's pace from the first on, whatever hash power and announcements do.

Simulated, so at any speed. Times of single blocks are exponentially distributed: what can be
promised, and is tested, are means over many chains.
"""

import math
import statistics
from itertools import islice

import pytest
from devchain_simulation import GOAL, Chain, Miners, Speed, changing, first_times, steady

from packetcrypt.pool.devchain_retarget import LISTENING_BITS, Retarget
from packetcrypt.pool.devnet_settings import SET_SIZE
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact, work_of_compact

ANN_BITS = 0x2000FFFF
CHANGE = 600.0

FULL = SET_SIZE / 15
"""announcements a second that fill a set in 15 s"""


@pytest.mark.parametrize("full_after", [4.0, 10.0, 60.0])
@pytest.mark.parametrize("speed", [5e3, 50e3, 500e3])
def test_each_of_the_first_blocks_takes_20_to_60_seconds(speed: float, full_after: float) -> None:
    miners = Miners(hashes=steady(speed), announcements=steady(SET_SIZE / full_after))
    means = [statistics.mean(times) for times in first_times(miners, blocks=6, chains=80)]
    assert min(means) > 20
    assert max(means) < 60


def test_a_busy_machine_has_its_first_blocks_in_time_too() -> None:
    slow = Miners(
        hashes=steady(50e3), announcements=steady(FULL), idle=2.5, checking=1.2, judging=0.6
    )
    means = [statistics.mean(times) for times in first_times(slow, blocks=6, chains=80)]
    assert min(means) > 20
    assert max(means) < 60


@pytest.mark.parametrize(
    ("hashes", "announcements"),
    [
        pytest.param(changing(20e3, 200e3, CHANGE), steady(FULL), id="hash power x10"),
        pytest.param(changing(200e3, 20e3, CHANGE), steady(FULL), id="hash power /10"),
        pytest.param(steady(100e3), changing(65, 650, CHANGE), id="announcements x10"),
        pytest.param(steady(100e3), changing(650, 65, CHANGE), id="announcements /10"),
    ],
)
def test_a_change_is_over_with_two_blocks(hashes: Speed, announcements: Speed) -> None:
    """The one that was mined when it happened, and the one after it."""
    later: list[list[float]] = [[] for _ in range(4)]
    for seed in range(80):
        blocks = Chain(Miners(hashes=hashes, announcements=announcements), seed).blocks()
        after = (seconds for at, seconds in blocks if at > CHANGE)
        for times, seconds in zip(later, islice(after, 2, 6), strict=True):
            times.append(seconds)
    means = [statistics.mean(times) for times in later]
    assert min(means) > 20
    assert max(means) < 60


@pytest.mark.parametrize("displaced", [False, True])
@pytest.mark.parametrize(
    "miners",
    [
        pytest.param(Miners(hashes=steady(100e3), announcements=steady(FULL)), id="a core"),
        pytest.param(
            Miners(hashes=steady(5e6), announcements=steady(1e5), set_size=10**6), id="a GPU"
        ),
        pytest.param(
            Miners(hashes=changing(5e3, 500e3, CHANGE), announcements=steady(FULL)), id="x100"
        ),
    ],
)
def test_blocks_settle_also_if_each_is_displaced(miners: Miners, displaced: bool) -> None:
    settled = [
        seconds
        for seed in range(4)
        for _, seconds in islice(Chain(miners, seed, displaced).blocks(), 30, 60)
    ]
    assert 20 < statistics.mean(settled) < 60


def test_a_settled_chain_seldom_makes_a_block_up() -> None:
    made_up = 0
    for seed in range(10):
        chain = Chain(Miners(hashes=steady(100e3), announcements=steady(FULL)), seed)
        list(islice(chain.blocks(), 10))
        before = chain.made_up
        list(islice(chain.blocks(), 20))
        made_up += chain.made_up - before
    assert made_up < 0.1 * 200


BLOCK_BITS = target_to_compact(target_of_work(1 << 21))
SHARE_BITS = target_to_compact(target_of_work(1 << 20))
INTERVAL = 4.0


def _commitment(count: int = 1000) -> BlockCommitment:
    return BlockCommitment(ANN_BITS, bytes(32), count)


def _heard(
    shares: int = 10, interval: float = INTERVAL, count: int = 1000
) -> tuple[Retarget, float]:
    """Shares at this interval, of a chain that went on; and when the last one came."""
    retarget = Retarget(GOAL, set_size=0)
    retarget.begin(0.0, BLOCK_BITS)
    now = 100.0
    for _ in range(shares):
        now += interval
        retarget.share_came(now, SHARE_BITS, _commitment(count))
    return retarget, now


def _next_work(retarget: Retarget) -> int:
    return work_of_compact(retarget.next_bits())


def test_the_work_is_what_the_hash_rate_does_in_the_goal() -> None:
    retarget, _ = _heard()
    hashes_of_share = (1 << 20) ** 3 / (1024 * work_of_compact(ANN_BITS) * 1000**2)
    power = 1024 * work_of_compact(ANN_BITS) * 1000**2
    wanted = math.cbrt(hashes_of_share / INTERVAL * power * GOAL)
    assert _next_work(retarget) == pytest.approx(wanted, rel=1e-3)


def test_a_tenfold_hash_rate_is_its_cube_root_of_work() -> None:
    slow, fast = (_heard(interval=interval)[0] for interval in (INTERVAL, INTERVAL / 10))
    assert _next_work(fast) == pytest.approx(_next_work(slow) * 10 ** (1 / 3), rel=1e-3)


def test_shares_of_the_same_pace_say_the_same_whatever_the_set() -> None:
    """Of smaller sets there are as many fewer as they are harder: then more is hashed."""
    few, many = (_heard(count=count)[0] for count in (1000, 3000))
    assert _next_work(few) == pytest.approx(_next_work(many), rel=1e-3)


@pytest.mark.parametrize(
    ("found", "expected"), [(0, 2500), (1, 1750), (2, 1375)], ids=["first", "second", "third"]
)
def test_what_a_set_lacks_is_expected_ever_less(found: int, expected: int) -> None:
    known, growing = Retarget(GOAL, set_size=0), Retarget(GOAL, set_size=4000)
    for retarget in (known, growing):
        retarget.begin(0.0, LISTENING_BITS)
        retarget.share_came(1.0, LISTENING_BITS, _commitment())
        for number in range(found):
            retarget.begin(2.0 + number, retarget.next_bits(), found=True)
    ratio = _next_work(growing) / _next_work(known)
    assert ratio == pytest.approx((expected / 1000) ** (2 / 3), rel=1e-3)


def test_the_first_share_of_a_new_chain_says_only_that_somebody_mines() -> None:
    retarget = Retarget(GOAL, set_size=0)
    retarget.begin(0.0, LISTENING_BITS)
    assert retarget.is_listening
    assert retarget.next_bits() == LISTENING_BITS
    retarget.share_came(50.0, SHARE_BITS, _commitment())
    assert not retarget.is_listening
    # 600 000 hashes a second, of which each counts 1024 · 256 · 1000².
    assert _next_work(retarget) == pytest.approx(math.cbrt(6e5 * 1.024e9 * 256 * GOAL), rel=1e-2)


def test_the_first_share_after_a_restart_leaves_the_target() -> None:
    retarget = Retarget(GOAL, set_size=4000)
    retarget.begin(0.0, BLOCK_BITS)
    assert not retarget.is_listening
    assert not retarget.is_too_quiet(1e6)  # nobody knows whether anybody mines
    retarget.share_came(1e6, SHARE_BITS, _commitment())
    assert _next_work(retarget) == pytest.approx(1 << 21, rel=1e-3)


@pytest.mark.parametrize(
    ("interval", "is_far_off"),
    [(INTERVAL, False), (INTERVAL / 100, True), (INTERVAL * 10, True)],
    ids=["fits", "too easy", "too hard"],
)
def test_a_target_that_is_far_off(interval: float, is_far_off: bool) -> None:
    retarget, now = _heard(interval=interval)
    retarget.begin(now, BLOCK_BITS)
    assert retarget.is_far_off(now + 2) is is_far_off


def test_an_easy_block_that_took_long_already_is_left_alone() -> None:
    retarget, now = _heard(interval=INTERVAL / 100)
    retarget.begin(now, BLOCK_BITS)
    assert not retarget.is_far_off(now + GOAL / 2 + 1)


def test_silence_makes_the_next_block_easier_the_sooner_the_less_was_heard() -> None:
    expected = GOAL / 8  # seconds of a share, eight of which are worth a block
    silent, at_first = _heard(shares=1)
    known, at = _heard(shares=20)
    assert silent.is_too_quiet(at_first + 2 * expected)
    assert not known.is_too_quiet(at + 2 * expected)
    assert known.is_too_quiet(at + 9 * expected)
    before = _next_work(known)
    known.begin(at, known.next_bits())
    known.nothing_came(at + 9 * expected)
    assert _next_work(known) == pytest.approx(before / 2, rel=1e-3)


def test_a_block_gets_the_next_one_easier_once_however_often_it_is_given_up() -> None:
    retarget, now = _heard()
    now += 1000
    retarget.begin(now, retarget.next_bits())
    retarget.nothing_came(now + 500)
    easier = retarget.next_bits()
    retarget.nothing_came(now + 501)
    assert retarget.next_bits() == easier


def test_an_overdue_block_of_which_shares_came_was_bad_luck() -> None:
    retarget, now = _heard()
    before = _next_work(retarget)
    retarget.nothing_came(now)
    assert _next_work(retarget) == before


def test_when_everybody_left_the_chain_listens_again() -> None:
    retarget, now = _heard()
    for _ in range(20):
        now += 1000
        retarget.begin(now, retarget.next_bits())
        retarget.nothing_came(now + 500)
    retarget.begin(now, retarget.next_bits())
    assert retarget.is_listening
    assert not retarget.is_too_quiet(now + 1e6)


def test_a_target_without_known_miners_gets_easier_by_overdue_blocks() -> None:
    retarget = Retarget(GOAL, set_size=0)
    retarget.begin(0.0, BLOCK_BITS)
    retarget.nothing_came(120.0)
    assert _next_work(retarget) == pytest.approx(1 << 20, rel=1e-3)
