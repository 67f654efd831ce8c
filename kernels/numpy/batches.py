"""How a launch is cut into batches, and what they found becomes the launch's result."""

from collections.abc import Iterable

import numpy as np

from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE

_LEAST_BATCH = 256


def cut(first: int, count: int, cores: int, batch: int) -> list[tuple[int, int]]:
    """Cut a range of nonces into batches (first, count) so that all cores have equal shares."""
    rounds = -(-count // (batch * cores))
    size = max(_LEAST_BATCH, -(-count // max(1, rounds * cores)))
    return [
        (start, min(size, first + count - start)) for start in range(first, first + count, size)
    ]


def joined(found: Iterable[FoundAnnouncements]) -> FoundAnnouncements:
    """What the batches found, in any order, as one result."""
    parts = sorted((part for part in found if len(part.keys)), key=lambda part: part.soft_nonces[0])
    return FoundAnnouncements(
        np.concatenate(
            [np.empty((0, ANNOUNCEMENT_SIZE), np.uint8), *(part.announcements for part in parts)]
        ),
        np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)]),
        np.concatenate([np.empty(0, np.uint32), *(part.soft_nonces for part in parts)]),
    )
