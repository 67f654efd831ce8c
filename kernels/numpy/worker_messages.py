"""What a NumPy worker process is asked and what it answers.

The messages go pickled through a socket that only the two processes have. The tables that they
speak about lie in memory that both see (shared_rooms.py).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.interface import CheckedAnnouncements, FoundAnnouncements, StageSeconds
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import PacketCryptError


@dataclass(frozen=True)
class HashLeaves:
    """Make items of a job's T0 and write their hashes to the leaves of the slot's tree."""

    job: AnnouncementJob
    slot: int
    items: range


@dataclass(frozen=True)
class MakeTable:
    """Make items of a job's T1 and write them to the slot's table."""

    job: AnnouncementJob
    root: bytes
    slot: int
    items: range


@dataclass(frozen=True)
class SearchBatch:
    """Search `count` soft nonces of the job that was prepared in the slot."""

    job: AnnouncementJob
    root: bytes
    slot: int
    first: int
    count: int


@dataclass(frozen=True)
class CheckShare:
    """Validate (n, 1024) announcements against (n, 32) parent block hashes."""

    announcements: npt.NDArray[np.uint8]
    parent_hashes: npt.NDArray[np.uint8]


Command = HashLeaves | MakeTable | SearchBatch | CheckShare
NO_TIME = StageSeconds(0, 0, 0)
Result = FoundAnnouncements | CheckedAnnouncements | None


@dataclass(frozen=True)
class Order:
    """A command and its number, by which it is answered and may be cancelled.

    Orders to make tables are carried out before others: what is searched meanwhile is searched by
    other processes, or later.
    """

    number: int
    command: Command


@dataclass(frozen=True)
class Cancel:
    """Give an order up, whether it has begun or not. It is answered all the same."""

    number: int


@dataclass(frozen=True)
class Answer:
    """What became of an order. Each is answered once; number 0 says that the process has started.

    result : None if there is nothing to tell, or the order was cancelled
    error  : why it could not be carried out
    stages : where the time went
    """

    number: int
    result: Result = None
    error: PacketCryptError | None = None
    stages: StageSeconds = NO_TIME
