"""How hard the block is that a development chain has mined now, so that blocks come at a steady
pace from the first on.

A block of work w, mined with a set of c announcements of work a each, takes

    effective work = w³ / (1024 · a · c²)          (spec 1 §1, `difficulty.effective_target`)

hashes on average. So at h hashes a second it is found after w³ / (h · power) seconds, where power
is 1024 · a · c², and the work that takes `goal` seconds is the cube root of h · power · goal.

Power is told by the commitment of every share; h is told by how fast shares come, of which there
are several a block: they say within seconds what block times, exponentially distributed, would say
after many blocks. So there is nothing about blocks to be remembered, and nothing on the disk.

At first nothing is known, neither the hash rate nor since when anybody mines. Therefore

1. a new chain *listens*: its target is next to nothing, and the first share, which comes as soon as
   anybody mines, ends that block;
2. then the target is that of fast miners. If shares do not come, it becomes easier by and by. From
   this side blocks do not come too early; if miners are faster still, their first shares say so;
3. when shares come, they say what target fits.

A target cannot change while a block is mined (spec 2 "Master": published work stays). What changes
it is that "somebody else" finds a block, as in any chain: so whoever asks this module makes a block
up when it says that the target is far off, or that shares have not come for too long.
"""

import math
from collections import deque
from typing import Final

from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact, work_of_compact

_LISTENING_WORK: Final = 1 << 17
"""of which anybody finds a share within seconds: with a few hundred announcements of difficulty 256
it takes ten thousand hashes, with two thousand a few hundred"""
LISTENING_BITS: Final = target_to_compact(target_of_work(_LISTENING_WORK))
"""of a new chain's first block"""
_MIN_WORK: Final = 1 << 13

_FASTEST: Final = 600_000.0
"""hashes a second that miners are supposed to make until shares are heard: more than a core does (a
Zen 5 core 506 000), because what is supposed too low may have a block come too early, and too high
costs seconds"""
_EASIER: Final = 8.0
"""by what a supposition is too high if shares do not come: work is halved then"""

_SHARES: Final = 8
"""that the hash rate is reckoned from: about those of one block of devnet, and exact to a third"""
_SUPPOSED: Final = 0.3
"""shares that a supposition counts as: the first that is heard outweighs it"""

_UNHEARD: Final = 1.5
"""seconds after a new block in which nothing can be heard: miners must learn of it and find a
share, and the share must be checked twice"""

_BRIEFEST: Final = 1e-3
"""seconds that any reckoning is about, so that nothing is divided by none"""

_TOO_SOON: Final = 0.5
"""A block that comes before so many times the goal has a target that is too easy, …"""
_TOO_LATE: Final = 4.0
"""… and one that will take so many times the goal has one that is too hard. Shares are too few to
tell less from chance, and each change costs the miners a second."""

_EXPECTED_GROWTH: Final = 0.5
"""how much of what a set lacks is expected to come while a block is mined"""


class Retarget:
    """What is known about those who mine, and the target that follows from it.

    Times are seconds of any clock.

    goal     : seconds that a block should take
    set_size : announcements that sets are going to have, 0 if that is unknown. While sets grow, a
               target for the newest one would be too easy a moment later: power goes with the
               square of their size
    """

    def __init__(self, goal: float, set_size: int) -> None:
        self._goal = goal
        self._set_size = set_size
        self._bits = self._next_unheard = LISTENING_BITS
        self._begun = 0.0
        #: until when listening has been reckoned in
        self._heard_until = 0.0
        #: whether a share came of the block that is mined now, or it is known that none comes
        self._was_heard = self._was_given_up = False
        #: hashes that a share takes on average, and seconds that it took; the newest last
        self._shares: deque[tuple[float, float]] = deque(maxlen=_SHARES)
        #: of the newest share; None while nobody is known to mine
        self._commitment: BlockCommitment | None = None
        #: a share's effective work, of a block's
        self._share_part = 1.0
        self._growth = _EXPECTED_GROWTH

    @property
    def is_listening(self) -> bool:
        """Whether the first share, or block, is only to tell that somebody mines."""
        return self._commitment is None and work_of_compact(self._bits) <= _LISTENING_WORK

    def begin(self, now: float, bits: int, *, found: bool = False) -> None:
        """The next block is mined from now on.

        found : the one before was mined. Sets have had the time of a block to grow
        """
        self._bits = self._next_unheard = bits
        self._begun = now
        self._heard_until = now + _UNHEARD
        self._was_heard = self._was_given_up = False
        if found:
            self._growth /= 2

    def share_came(self, now: float, share_bits: int, commitment: BlockCommitment) -> None:
        """A good share of the block that is mined now; while listening, any, also a made-up one."""
        is_known, was_listening = self._commitment is not None, self.is_listening
        self._commitment = commitment
        self._was_heard = True
        share_work = float(work_of_compact(share_bits))
        self._share_part = min(1.0, (share_work / work_of_compact(self._bits)) ** 3)
        if was_listening:
            self._growth = _EXPECTED_GROWTH
            self._suppose(now, _FASTEST)
        elif not is_known:  # this run goes on with an older target, which may be right
            self._suppose(now, self._block_work / (self._expected_power * self._goal))
        else:
            hashes = share_work**3 / _power(commitment, commitment.count)
            since = self._heard_until if now > self._heard_until else self._begun
            self._shares.append((hashes, now - since))
            self._heard_until = now

    def is_far_off(self, now: float) -> bool:
        """Whether the target should change before the block is found; to be asked after a share."""
        if self._commitment is None:
            return False
        seconds = self._block_work / _power(self._commitment, self._commitment.count) / self._rate
        in_the_end = self._block_work / self._expected_power / self._rate
        return (
            now - self._begun + seconds < _TOO_SOON * self._goal
            or in_the_end > _TOO_LATE * self._goal
        )

    def is_too_quiet(self, now: float) -> bool:
        """Whether no share came for so long that the supposed hash rate cannot be right.

        The more shares there were, the longer a pause is waited for.
        """
        if self._commitment is None:
            return False
        patience = _UNHEARD + len(self._shares) * self._share_part * self._goal
        return now - self._heard_until >= patience

    def nothing_came(self, now: float) -> None:
        """Nobody finds this block: the next is to be easier, unless shares say that it was luck.

        However often it is said, which happens if the block that is made up cannot be written.
        """
        if self._was_heard or self._was_given_up:
            return
        self._was_given_up = True
        work = work_of_compact(self._bits)
        if self._commitment is not None and work > _LISTENING_WORK:
            self._suppose(now, self._rate / _EASIER)
        else:  # nobody mines: it is waited for who comes
            self._commitment = None
            self._next_unheard = _bits(work / math.cbrt(_EASIER))

    def next_bits(self) -> int:
        """The compact target of the next block."""
        if self._commitment is None:
            return self._next_unheard
        return _bits(math.cbrt(self._rate * self._expected_power * self._goal))

    @property
    def _rate(self) -> float:
        """Hashes a second."""
        seconds = sum(seconds for _, seconds in self._shares)
        return sum(hashes for hashes, _ in self._shares) / max(seconds, _BRIEFEST)

    @property
    def _block_work(self) -> float:
        """Without the power that announcements give."""
        return float(work_of_compact(self._bits)) ** 3

    @property
    def _expected_power(self) -> float:
        assert self._commitment is not None
        count = self._commitment.count
        return _power(self._commitment, count + self._growth * max(0, self._set_size - count))

    def _suppose(self, now: float, rate: float) -> None:
        seconds = max(_BRIEFEST, _SUPPOSED * self._share_part * self._goal)
        self._shares.clear()
        self._shares.append((rate * seconds, seconds))
        self._heard_until = now


def _power(commitment: BlockCommitment, count: float) -> float:
    return 1024.0 * work_of_compact(commitment.max_target) * count**2


def _bits(work: float) -> int:
    return target_to_compact(target_of_work(max(_MIN_WORK, round(work))))
