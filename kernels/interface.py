"""What every backend can compute: the interface between the kernels and the engine.

One `AnnouncementKernels` object is one device. It is driven by one thread (the engine's worker of
that device, or the checker's); nothing in it is shared between threads.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ProgramError


@dataclass(frozen=True)
class FoundAnnouncements:
    """Finished announcements of one launch, ascending by soft nonce.

    announcements : (n, 1024) uint8, C-contiguous, complete and encrypted
    keys          : (n,) uint64, the dedup keys: first u64 of H32(announcement) (spec 1 §4)
    soft_nonces   : (n,) uint32
    """

    announcements: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    soft_nonces: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class CheckedAnnouncements:
    """Verdicts on n announcements, in the order they were given.

    results     : (n,) uint8, values of `AnnouncementCheck`
    work_hashes : (n, 32) uint8; zeros where the checks before the hash already failed
    keys        : (n,) uint64, dedup keys of all of them, good or bad
    """

    results: npt.NDArray[np.uint8]
    work_hashes: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class StageSeconds:
    """How long a device computed, by what it did.

    tables    : items of tables and Merkle trees
    search    : soft nonces
    finishing : announcements, from what was found
    """

    tables: float
    search: float
    finishing: float


class PreparedJob(Protocol):
    """A job whose tables and Merkle tree lie ready on the device."""

    @property
    def job(self) -> AnnouncementJob: ...

    @property
    def root(self) -> bytes:
        """Merkle root, 64 bytes."""
        ...


class SearchLaunch(Protocol):
    """A search under way on the device."""

    def result(self) -> FoundAnnouncements:
        """Wait for the search and return what it found. Call exactly once."""
        ...


class AnnouncementKernels(ABC):
    """The announcement computations of spec 1 §4 on one device."""

    #: A slot holds the tables of a prepared job, or of jobs that were prepared together; two allow
    #: preparing while searching.
    SLOTS = 2
    #: Jobs that `prepare_many` is best given: more than one where the tables of one are too little
    #: to keep the device busy.
    jobs_a_preparation: int = 1
    #: Most soft nonces one `search` call takes.
    max_launch: int
    #: Launches are most efficient in multiples of this many soft nonces.
    launch_quantum: int
    #: `search` launches may be outstanding at a time.
    launches: int = 2

    @abstractmethod
    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        """Build the tables and the Merkle tree of `job` in `slot`.

        A generator: it yields between short pieces of device work (each well under 50 ms on a
        CPU), so that the caller can interleave search launches or give up by closing it, and
        returns the prepared job. What was prepared in the slot before is gone from the first step
        on. Raises `ProgramError` if a random program is invalid: the miner skips the job.
        """

    def prepare_many(
        self, jobs: Sequence[AnnouncementJob], slot: int
    ) -> Generator[None, None, list[PreparedJob | ProgramError]]:
        """Prepare 1 … `jobs_a_preparation` jobs in one slot, each launch for all of them.

        As `prepare`, but a job to be skipped has its error in the place of the prepared job.
        """
        (job,) = jobs
        try:
            return [(yield from self.prepare(job, slot))]
        except ProgramError as error:
            return [error]

    @abstractmethod
    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        """Search soft nonces first … first+count−1 (1 ≤ count ≤ max_launch) of a prepared job.

        Returns at once where the device computes asynchronously. A backend that computes on the
        host's cores polls `cancelled` every few milliseconds, from any of its threads, and when
        true stops: the result is then what was found so far. Does not look at soft_nonce_max: the
        engine does. Raises `DeviceError` for a launch that is too long or one too many, a job of
        another backend, and a device that fails.
        """

    @abstractmethod
    def check(
        self,
        announcements: npt.NDArray[np.uint8],
        parent_hashes: npt.NDArray[np.uint8],
    ) -> CheckedAnnouncements:
        """Validate (n, 1024) announcements against (n, 32) parent block hashes (spec 1 §4).

        uint8, internal byte order. Any n, also 0; announcements of one job are found and share
        their random programs. Raises `DeviceError` if the device fails.
        """

    def stage_seconds(self) -> StageSeconds | None:
        """Where the time went since the last call, without what `check` did.

        None from kernels that were not opened to measure it.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Wait for outstanding work and free the device. Idempotent."""
