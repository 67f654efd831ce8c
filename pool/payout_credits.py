"""What an event of a pay log is worth (spec 2 "Paymaker").

credits = work of the event's target × count ÷ (block difficulty × 4096²): one is about the work of
a block. The block difficulty is that of the newest block event strictly earlier than the event.

Whole columns at a time, because a history has millions of events.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.difficulty import work_of_compact

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

WORK_OF_DIFFICULTY: Final = 4096 * 4096
"""hashes that a block of difficulty 1 counts as"""
CONTENT_PER_ANNOUNCEMENT: Final = 16 * 1024
"""bytes of content that cost one announcement's pay, because the pool must carry them"""


def counted_announcements(
    accepted: Integers, unsigned: Integers, total_length: Integers, *, is_signing: bool
) -> Integers:
    """How many announcements of each post are paid, 0 at least.

    unsigned     : accepted ones without the pool's signature, of no use to a pool that signs
    total_length : bytes of content of all of them
    """
    counted: Integers = accepted - total_length // CONTENT_PER_ANNOUNCEMENT
    if is_signing:
        counted = counted - unsigned
    return counted.clip(0)


def work_of_targets(targets: Integers) -> Reals:
    """Hashes that each compact target takes. There are few different ones."""
    different = np.unique(targets)
    works = np.array([float(work_of_compact(int(target))) for target in different], np.float64)
    work: Reals = works[np.searchsorted(different, targets)]
    return work


def credits_of(
    times: Integers,
    works: Reals,
    block_times: Integers,
    block_difficulties: Reals,
    first_difficulty: float | None,
) -> Reals:
    """Credits of events.

    times            : ascending
    works            : hashes, those of all announcements of a post together
    block_times      : of the block events, ascending; with their difficulties
    first_difficulty : for events before any block event; None, as long as nobody knows: they count
                       nothing yet
    """
    first = np.inf if first_difficulty is None else first_difficulty
    difficulties = np.concatenate([[first], block_difficulties])
    # An event at the very time of a block still belongs to the one before it.
    begins = np.searchsorted(times, block_times, side="right")
    spans = np.diff(np.concatenate([[0], begins, [len(times)]]))
    divisors: Reals = np.repeat(difficulties, spans)
    return works / (divisors * WORK_OF_DIFFICULTY)
