"""Which of the announcements that handlers give may be mined with.

One invalid announcement in the mined set spoils every share that happens to use it, and only
checking tells. So what a hostile or broken handler gives costs time here, and no share.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, fields
from functools import reduce
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense
from packetcrypt.engine.block_store import AddedAnnouncements
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.miner.block_settings import AnnouncementTrust
from packetcrypt.miner.chain import DEEPEST_AGE, ParentHashes
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE, HASH_SIZE, VERSION
from packetcrypt.protocol.announcement_signature import UNSIGNED_KEY
from packetcrypt.protocol.errors import DeviceError, PoolError
from packetcrypt.protocol.validation import AnnouncementCheck

_AT_ONCE: Final = 2
"""Deliveries worked on at a time: while a device checks one, the other is looked at and stored."""

_SAMPLE: Final = 16
"""Announcements checked of each delivery from a source that is trusted by sample."""

_RETRY_S: Final = 5.0
"""Pause after the master did not tell a parent block."""

_TRIES: Final = 3
"""How often a master is asked for a block that it says it does not have."""

Announcements = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class NothingChecks(DeviceError):
    """No device is left that could check announcements: none will ever be taken again."""


class AnnouncementStore(Protocol):
    """What is needed of a `BlockEngine`; called from any thread."""

    def knows(self, announcements: Announcements) -> Mask: ...
    def add(self, announcements: Announcements) -> AddedAnnouncements: ...
    def forget_parents(self, heights: Iterable[int]) -> int: ...


class Checker(Protocol):
    """What is needed of an `AnnouncementChecker`.

    submit : raises `DeviceError` if nothing can be checked any more; the future, if only these
             announcements could not be
    """

    def submit(
        self, announcements: Announcements, parent_hashes: npt.NDArray[np.uint8]
    ) -> Future[CheckedAnnouncements]: ...


@dataclass(frozen=True)
class IntakeCounts:
    """What became of announcements.

    taken      : in the store
    duplicates : had already
    unusable   : no block can be mined with them: too old, of a block that is not in the chain,
                 signed with another key than the pool's, so that nobody signs the block for them
    invalid    : failed the check
    dropped    : the store had no room, or no device could check them
    """

    taken: int = 0
    duplicates: int = 0
    unusable: int = 0
    invalid: int = 0
    dropped: int = 0

    @property
    def received(self) -> int:
        """All of them."""
        return self.taken + self.duplicates + self.unusable + self.invalid + self.dropped

    def plus(self, other: "IntakeCounts") -> "IntakeCounts":
        """Both together."""
        return IntakeCounts(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self))
        )


class AnnouncementIntake:
    """Takes in what any number of sources give.

    parents : the pool's chain; older blocks are asked for as announcements need them
    checker : not asked if everybody is trusted
    """

    def __init__(
        self,
        store: AnnouncementStore,
        parents: ParentHashes,
        checker: Checker,
        trust: AnnouncementTrust,
        complaints: Complaints,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._store = store
        self._parents = parents
        self._checker = checker
        self._trust = trust
        self._complaints = complaints
        self._retry_s = retry_s
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._storing = asyncio.Lock()
        self._counts: dict[str, IntakeCounts] = {}
        self._caught: set[str] = set()
        self._random = np.random.default_rng()

    def counts(self, source: str) -> IntakeCounts:
        """What became of everything that a source gave."""
        return self._counts.get(source, IntakeCounts())

    @property
    def all_counts(self) -> IntakeCounts:
        """What became of everything that was given."""
        return reduce(IntakeCounts.plus, self._counts.values(), IntakeCounts())

    def wanted(self, height: int) -> bool:
        """Whether a block can be mined, now or soon, with announcements of this parent height."""
        return self._parents.tip_height - DEEPEST_AGE < height <= self._parents.tip_height

    async def take(self, source: str, announcements: Announcements) -> None:
        """Check (n, 1024) uint8 announcements and store the good ones; waits for its turn.

        source : name of who gave them; sources are counted, and distrusted, by name

        Raises `NothingChecks`.
        """
        if not len(announcements):
            return
        # Without a slot: others need not wait until the master tells the parents of these.
        await self._reach_parents(announcements)
        async with self._slots:
            counts = await self._process(source, announcements)
        self._counts[source] = self.counts(source).plus(counts)

    async def forget_parents(self, heights: Iterable[int]) -> None:
        """Drop what is stored for parent blocks that are no longer in the chain."""
        async with self._storing:
            await asyncio.to_thread(self._store.forget_parents, tuple(heights))

    async def _process(self, source: str, announcements: Announcements) -> IntakeCounts:
        usable, parents = self._with_parents(announcements)
        unusable = len(announcements) - len(usable)
        known = await asyncio.to_thread(self._store.knows, usable)
        fresh, parents = usable[~known], parents[~known]
        try:
            invalid = await self._invalid(source, fresh, parents)
        except NothingChecks:
            raise
        except DeviceError as error:
            self._complaints.report(
                ("check",), f"{error} {len(fresh)} announcements from {source} are dropped."
            )
            return IntakeCounts(duplicates=int(known.sum()), unusable=unusable, dropped=len(fresh))
        added, replaced = await self._add(fresh[~invalid], parents[~invalid])
        return IntakeCounts(
            taken=added.taken,
            duplicates=int(known.sum()) + added.duplicates,
            unusable=unusable + replaced + added.unusable,
            invalid=int(invalid.sum()),
            dropped=added.dropped,
        )

    async def _reach_parents(self, announcements: Announcements) -> None:
        """Know the parent blocks, as far as the master tells; waits for one that is away."""
        heights = np.unique(announcements.view(ANNOUNCEMENT_DTYPE)[:, 0]["parent_height"])
        wanted = [int(height) for height in heights if self.wanted(int(height))]
        denials = 0
        while wanted and denials < _TRIES:
            try:
                await self._parents.reach(wanted[0])
            except PoolError as error:
                denials += isinstance(error, PoolNonsense)
                self._complaints.report(("parents",), f"{error} Announcements wait for it.")
                await asyncio.sleep(self._retry_s)
            else:
                self._complaints.resolve(("parents",), "The master tells parent blocks again.")
                return

    def _with_parents(
        self, announcements: Announcements
    ) -> tuple[Announcements, npt.NDArray[np.uint8]]:
        """The announcements whose parent block is known, and the hash of it for each."""
        header = announcements.view(ANNOUNCEMENT_DTYPE)[:, 0]
        heights = header["parent_height"]
        usable = np.zeros(len(announcements), np.bool_)
        parents = np.zeros((len(announcements), HASH_SIZE), np.uint8)
        for height in filter(self.wanted, map(int, np.unique(heights))):
            parent = self._parents.hash_at(height)
            if parent is not None:
                key = self._parents.signing_key_at(height) or UNSIGNED_KEY
                rows = (heights == height) & (header["version"] == VERSION)
                rows &= _signable(header["signing_key"], key)
                usable |= rows
                parents[rows] = np.frombuffer(parent, np.uint8)
        return announcements[usable], parents[usable]

    async def _invalid(
        self, source: str, announcements: Announcements, parents: npt.NDArray[np.uint8]
    ) -> Mask:
        """Which announcements failed the check, as far as the source is not trusted."""
        invalid = np.zeros(len(announcements), np.bool_)
        unchecked = np.ones(len(announcements), np.bool_)
        if self._trust is AnnouncementTrust.SAMPLE and source not in self._caught:
            sample = self._random.permutation(len(announcements))[:_SAMPLE]
            invalid[sample] = await self._fail(announcements[sample], parents[sample])
            if not invalid.any():
                return invalid
            self._caught.add(source)
            unchecked[sample] = False
        if self._trust is not AnnouncementTrust.ALL and unchecked.any():
            invalid[unchecked] = await self._fail(announcements[unchecked], parents[unchecked])
        if invalid.any():
            self._complaints.report(
                (source, "invalid"),
                f"{source} gave {int(invalid.sum())} invalid announcements among "
                f"{len(announcements)}: they are not mined with. Tell the pool's operator.",
            )
        return invalid

    async def _fail(self, announcements: Announcements, parents: npt.NDArray[np.uint8]) -> Mask:
        try:
            answer = self._checker.submit(announcements, parents)
        except DeviceError as error:
            raise NothingChecks(
                f"announcements cannot be checked any more, and unchecked ones are not mined with: "
                f"{error}"
            ) from error
        checked = await asyncio.wrap_future(answer)
        failed: Mask = checked.results != AnnouncementCheck.OK
        return failed

    async def _add(
        self, announcements: Announcements, parents: npt.NDArray[np.uint8]
    ) -> tuple[AddedAnnouncements, int]:
        """Store them, but for those whose parent was replaced during the check; how many were."""
        async with self._storing:
            heights = announcements.view(ANNOUNCEMENT_DTYPE)[:, 0]["parent_height"]
            current = np.zeros(len(announcements), np.bool_)
            for height in np.unique(heights):
                parent = self._parents.hash_at(int(height))
                if parent is not None:
                    same = (parents == np.frombuffer(parent, np.uint8)).all(axis=1)
                    current |= (heights == height) & same
            added = await asyncio.to_thread(self._store.add, announcements[current])
            return added, int((~current).sum())


def _signable(keys: npt.NDArray[np.uint8], pool_key: bytes) -> Mask:
    """Which announcements need no signature, or one that the pool's handlers can make."""
    unsigned = ~keys.any(axis=1)
    signable: Mask = unsigned | (keys == np.frombuffer(pool_key, np.uint8)).all(axis=1)
    return signable
