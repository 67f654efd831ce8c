"""How a batch of posts is judged and credited, in the order that pays each announcement once.

examine → claim keys → check hashes → announcements on the disk → pay log on the disk → commit keys
→ reply.

Posts that wait at the same time are judged together: the device gets larger batches, and one wait
for the disk serves all of them. A crash after any step loses at most what was not replied to yet;
see announcement_files for why the announcements come before the pay log.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from packetcrypt.client.complaints import Complaints
from packetcrypt.handler.dedup import KeyTable
from packetcrypt.handler.storage import Storage
from packetcrypt.handler.submission import ExaminedPost, Outcome, Post, examine, result_of
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.protocol.errors import PacketCryptError
from packetcrypt.protocol.pool_messages import AnnouncementPostResult
from packetcrypt.protocol.validation import AnnouncementCheck

_log = logging.getLogger(__name__)


class Checker(Protocol):
    """What crediting needs of the engine's `AnnouncementChecker`."""

    @property
    def devices(self) -> Sequence[object]:
        """What it checks on."""
        ...

    @property
    def working_devices(self) -> int:
        """How many of these still work."""
        ...

    def submit(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> Future[CheckedAnnouncements]:
        """Checks (n, 1024) announcements against (n, 32) parent hashes, on other threads."""
        ...


class CreditedPost(NamedTuple):
    """A post with the final outcomes, and their counts. What was accepted is on the disk."""

    examined: ExaminedPost
    result: AnnouncementPostResult


@dataclass
class _ClaimedPost:
    """A post, and those of its announcements that nobody else may credit meanwhile.

    table   : of its parent block; None if that was replaced, or forgotten. Then nothing is claimed
    claimed : indexes of its announcements, ascending
    event   : what the pay log says about it, once it does
    """

    examined: ExaminedPost
    table: KeyTable | None
    claimed: npt.NDArray[np.intp]
    event: AnnouncementPostResult | None = None

    @property
    def parent_hashes(self) -> npt.NDArray[np.uint8]:
        row = np.frombuffer(self.examined.post.parent.hash, np.uint8)
        return np.broadcast_to(row, (len(self.claimed), 32))

    def settle(self) -> CreditedPost:
        """Commits the keys of what is in the pay log, releases the others."""
        outcomes = self.examined.outcomes
        accepted = outcomes[self.claimed] == Outcome.ACCEPTED
        if self.event is None:
            outcomes[self.claimed[accepted]] = Outcome.PENDING
            accepted = np.zeros_like(accepted)
        if self.table is not None:
            self.table.settle(self.examined.keys[self.claimed], accepted)
        return CreditedPost(self.examined, self.event or result_of(self.examined))


class Crediting:
    """Judges and credits posts. `credit` may run several times at once, on the event loop.

    hand_on : is given what was credited, as (n, 1024) uint8 arrays; must neither block nor raise
    checked : announcements whose hashes were checked, since the start
    failed  : batches that could not be checked or written
    """

    def __init__(
        self,
        checker: Checker,
        storage: Storage,
        hand_on: Callable[[npt.NDArray[np.uint8]], None] | None = None,
    ) -> None:
        self.checked = 0
        self.failed = 0
        self._checker = checker
        self._hand_on = hand_on
        self._tables = storage.tables
        self._files = storage.files
        self._paylog = storage.paylog
        self._disk = storage.disk
        self._complaints = Complaints(_log)

    async def credit(self, posts: Sequence[Post]) -> list[CreditedPost]:
        """Judges posts, and puts what it accepts on the disk.

        Announcements that could not be checked or written are left `PENDING`: they are not
        credited, and may be sent again.
        """
        examined = await asyncio.to_thread(lambda: [examine(post) for post in posts])
        claims = [self._claim(post) for post in examined]
        credited: list[CreditedPost] = []
        try:
            await self._check(claims)
            await self._disk.run(self._write, claims)
            await self._disk.run(self._files.publish_full)
        except (PacketCryptError, OSError) as error:
            self.failed += 1
            self._complaints.report(
                ("crediting",), f"announcements were not checked or not written: {error}"
            )
        finally:
            credited.extend(claim.settle() for claim in claims)
        if self._hand_on is not None:
            for post in credited:
                accepted = post.examined.indexes(Outcome.ACCEPTED)
                self._hand_on(post.examined.announcements[accepted])
        return credited

    def _claim(self, examined: ExaminedPost) -> _ClaimedPost:
        pending = examined.indexes(Outcome.PENDING)
        table = self._tables.of(examined.post.parent)
        if table is None:
            # The parent block was replaced, or passed long ago, while the post waited.
            examined.outcomes[pending] = Outcome.INVALID
            return _ClaimedPost(examined, None, pending[:0])
        granted = table.claim(examined.keys[pending])
        examined.outcomes[pending[~granted]] = Outcome.DUPLICATE
        return _ClaimedPost(examined, table, pending[granted])

    async def _check(self, claims: Sequence[_ClaimedPost]) -> None:
        rows = np.concatenate([c.examined.announcements[c.claimed] for c in claims])
        if not len(rows):
            return
        parents = np.concatenate([c.parent_hashes for c in claims])
        checked = await asyncio.wrap_future(self._checker.submit(rows, parents))
        self.checked += len(rows)
        ends = np.cumsum([len(c.claimed) for c in claims])[:-1]
        for claim, results in zip(claims, np.split(checked.results, ends), strict=True):
            is_replaced = self._tables.of(claim.examined.post.parent) is not claim.table
            accepted = (results == AnnouncementCheck.OK) & (not is_replaced)
            outcomes = claim.examined.outcomes
            outcomes[claim.claimed] = np.where(accepted, Outcome.ACCEPTED, Outcome.INVALID)
            # A copy within a post shares the fate of the first: it duplicates nothing that is paid.
            bad_keys = claim.examined.keys[claim.claimed[~accepted]]
            copies = claim.examined.indexes(Outcome.DUPLICATE)
            outcomes[copies[np.isin(claim.examined.keys[copies], bad_keys)]] = Outcome.INVALID

    def _write(self, claims: Sequence[_ClaimedPost]) -> None:
        """In the disk thread: announcements first, then the pay log, each with one wait a file."""
        by_file: dict[tuple[int, int], list[bytes]] = defaultdict(list)
        paid = []
        for claim in claims:
            accepted = claim.examined.indexes(Outcome.ACCEPTED)
            if len(accepted):
                post = claim.examined.post
                rows = claim.examined.announcements[accepted].tobytes()
                by_file[post.parent.height, post.state.handler_number].append(rows)
                paid.append((claim, result_of(claim.examined)))
        written: list[tuple[int, int, int]] = []
        try:
            for (height, handler_number), pieces in by_file.items():
                announcements = b"".join(pieces)
                self._files.append(height, handler_number, announcements)
                written.append((height, handler_number, len(announcements)))
            self._paylog.append(event.as_json() for _, event in paid)
        except OSError:
            # Left there, they would be duplicates after a restart although nobody was paid.
            for append in written:
                self._files.take_back(*append)
            raise
        for claim, event in paid:
            claim.event = event
