"""Development chains in simulated time: how long blocks take, whoever mines.

As a program it prints the mean times of the first blocks: `devchain_simulation.py [CHAINS]`.
"""

import random
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from packetcrypt.pool.devchain_retarget import LISTENING_BITS, Retarget
from packetcrypt.pool.devnet_settings import ANN_TARGET, SET_SIZE, SHARE_WORK_DIVISOR
from packetcrypt.pool.share_work import share_target
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import degrade, work_of_compact

GOAL = 30.0
PATIENCE = 4.0
STEP = 0.1

Speed = Callable[[float], float]
"""something a second, at a time"""

_AGES: Final = range(3, 11)
_TARGETS: Final = {age: degrade(ANN_TARGET, age) for age in _AGES}
_WORKS: Final = {age: work_of_compact(target) for age, target in _TARGETS.items()}


def steady(speed: float) -> Speed:
    """Always the same."""
    return lambda _: speed


def changing(before: float, after: float, at: float) -> Speed:
    """One speed until `at`, another from then on."""
    return lambda now: after if now > at else before


@dataclass(frozen=True, kw_only=True)
class Miners:
    """What mines a chain.

    hashes, announcements : a second
    set_size              : announcements that a set has at most
    idle                  : seconds until they work on a new block
    checking              : seconds from a share's being found to its being judged
    judging               : of these, those of the chain, which judges one share at a time, but
                            whole blocks at once
    """

    hashes: Speed
    announcements: Speed
    set_size: int = SET_SIZE
    idle: float = 1.0
    checking: float = 0.6
    judging: float = 0.3


@dataclass(frozen=True)
class _Share:
    at: float
    is_block: bool
    commitment: BlockCommitment


@dataclass
class Chain:
    """One chain; displaced: each block that is found is displaced by two made-up ones."""

    miners: Miners
    seed: int
    displaced: bool = False
    goal: float = GOAL
    now: float = 0.0
    made_up: int = 0
    _height: int = 1_000_000
    _begun: float = 0.0
    _bits: int = LISTENING_BITS
    _counts: dict[int, float] = field(default_factory=dict)
    _found: list[_Share] = field(default_factory=list)
    _judge_free: float = 0.0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._retarget = Retarget(self.goal, self.miners.set_size)
        self._retarget.begin(0.0, self._bits)

    def blocks(self) -> Iterator[tuple[float, float]]:
        """When blocks were found, and seconds since the one before or the first announcement."""
        before = 0.0
        while True:
            self._step()
            if self._hear():
                yield self.now, self.now - before
                before = self.now

    def _step(self) -> None:
        self.now += STEP
        # Announcements for the block two behind the tip can be mined with at once.
        youngest = self._height - _AGES.start
        mined = self.miners.announcements(self.now) * STEP
        self._counts[youngest] = self._counts.get(youngest, 0.0) + mined
        if self.now - self._begun < self.miners.idle:
            return
        commitment = self._best_set()
        if commitment is None:
            return
        power = 1024 * work_of_compact(commitment.max_target) * commitment.count**2
        share, block = (
            max(1.0, work_of_compact(bits) ** 3 / power)
            for bits in (share_target(self._bits, SHARE_WORK_DIVISOR), self._bits)
        )
        expected = self.miners.hashes(self.now) * STEP / share
        wait = self._chance.expovariate(1.0)
        while wait < expected and len(self._found) < 100:
            is_block = self._chance.random() < share / block
            at = self.now + self.miners.checking
            self._found.append(_Share(at, is_block, commitment))
            wait += self._chance.expovariate(1.0)

    def _best_set(self) -> BlockCommitment | None:
        best, best_power, count = None, 0, 0
        for age in _AGES:
            count = min(self.miners.set_size, count + int(self._counts.get(self._height - age, 0)))
            power = _WORKS[age] * count**2
            if power > best_power:
                best_power = power
                best = BlockCommitment(_TARGETS[age], bytes(32), count)
        return best

    def _hear(self) -> bool:
        """What the chain does about the shares that came; whether one was a block."""
        retarget = self._retarget
        if retarget.is_listening:
            arrived = self.now + self.miners.judging
            if self._found and self._found[0].at <= arrived:
                self._note(self._found[0])
                self._begin()
            return False
        for share in self._found:
            if share.is_block and share.at <= self.now:
                self._note(share)
                self._begin(found=True)
                for _ in range(2 * self.displaced):
                    self._begin()
                return True
        while self._found and max(self._found[0].at, self._judge_free) <= self.now:
            self._judge_free = max(self._judge_free, self._found[0].at) + self.miners.judging
            self._note(self._found.pop(0))
            if retarget.is_far_off(self.now):
                self._begin()
        if retarget.is_too_quiet(self.now) or self.now - self._begun > PATIENCE * self.goal:
            retarget.nothing_came(self.now)
            self._begin()
        return False

    def _note(self, share: _Share) -> None:
        bits = share_target(self._bits, SHARE_WORK_DIVISOR)
        self._retarget.share_came(self.now, bits, share.commitment)

    def _begin(self, *, found: bool = False) -> None:
        """The next block: found, or made up."""
        self._bits = self._retarget.next_bits()
        self._retarget.begin(self.now, self._bits, found=found)
        self._height += 1
        self._begun = self.now
        self._found.clear()
        self.made_up += not found


def first_times(miners: Miners, blocks: int, chains: int) -> list[list[float]]:
    """Of so many chains: the seconds that the first block took, those of the second, …"""
    times: list[list[float]] = [[] for _ in range(blocks)]
    for seed in range(chains):
        for of_all, (_, seconds) in zip(times, Chain(miners, seed).blocks(), strict=False):
            of_all.append(seconds)
    return times


if __name__ == "__main__":
    chains = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"mean (median) seconds of blocks 1 to 10 of {chains} chains, goal {GOAL:g} s")
    for full_after in (4.0, 10.0, 30.0, 60.0):
        for speed in (5e3, 20e3, 100e3, 500e3):
            miners = Miners(hashes=steady(speed), announcements=steady(SET_SIZE / full_after))
            columns = (
                f"{statistics.mean(one):3.0f} ({statistics.median(one):2.0f})"
                for one in first_times(miners, 10, chains)
            )
            print(f"{speed / 1000:4.0f} Ke/s, full sets after {full_after:2.0f} s ", *columns)
