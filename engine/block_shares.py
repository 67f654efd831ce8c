"""How a found hash becomes a share that a pool can check, and waits for the program that takes it.

Every hash is computed again by `protocol.block_hash`, which shares no code with the devices, and
every proof is rebuilt, before a share is delivered.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.block_store import AnnouncementStore
from packetcrypt.engine.delivery_queue import DeliveryQueue
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.block_proof import BlockProof
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.proof_tree import ProofError, create_proof, hash_proof
from packetcrypt.protocol.work_file import BlockWork

_log = logging.getLogger(__name__)

#: Finds that may wait to be made into shares (a millisecond each), and shares that may wait to be
#: taken; beyond it the oldest are dropped and counted. Pools ask for a share every few seconds.
QUEUE_LIMIT: Final = 1024


@dataclass(frozen=True)
class FoundShare:
    """What a pool's block handler checks, and a block is made of.

    work       : what it was mined for; after new work a few shares of the old one still come
    header     : 80 bytes, with nonce and Merkle root
    commitment : 48 bytes, for the coinbase
    proof      : low nonce, announcements and the proof that the commitment has them
    work_hash  : 32 bytes
    is_block   : it meets the block's target, not only the share's
    device     : `DeviceInfo.index` of the finder
    """

    work: BlockWork
    header: bytes
    commitment: bytes
    proof: BlockProof
    work_hash: bytes
    is_block: bool
    device: str


@dataclass(frozen=True, eq=False)
class Find:
    """A hash that a device found.

    header : 80 bytes
    """

    candidate: BlockCandidate
    header: bytes
    low_nonce: int
    work_hash: bytes
    device: str


class WrongHash(DeviceError):
    """A device computed a hash that is wrong, or not wanted."""


class WrongTree(DeviceError):
    """A device built a proof tree that is wrong."""


class ShareQueue(DeliveryQueue[FoundShare]):
    """Shares on their way to the engine's user; `limit` is in shares."""

    def __init__(self, limit: int, dropped: Callable[[FoundShare], None]) -> None:
        super().__init__(limit, dropped, lambda _: 1)


class ShareMaker:
    """A thread that makes shares of finds, in their order.

    delivered : called with each share
    dropped   : called with each find that fell out of the full queue, or has announcements that
                were forgotten since
    wrong     : called with what is wrong about a find
    """

    def __init__(
        self,
        store: AnnouncementStore,
        delivered: Callable[[FoundShare], None],
        dropped: Callable[[Find], None],
        wrong: Callable[[Find, DeviceError], None],
    ) -> None:
        self._store = store
        self._delivered = delivered
        self._dropped = dropped
        self._wrong = wrong
        self._changed = threading.Condition()
        self._finds: deque[Find] = deque()
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="packetcrypt shares", daemon=True)
        self._thread.start()

    def submit(self, find: Find) -> None:
        """Have a share made; never blocks."""
        with self._changed:
            self._finds.append(find)
            surplus = self._finds.popleft() if len(self._finds) > QUEUE_LIMIT else None
            self._changed.notify()
        if surplus is not None:
            self._dropped(surplus)

    def close(self, timeout: float) -> None:
        """Make what was submitted, as far as `timeout` seconds allow, and end. Idempotent."""
        with self._changed:
            if self._deadline is None:
                self._deadline = time.monotonic() + timeout
            self._changed.notify()
        if self._thread is not threading.current_thread():  # it found a forgotten engine
            self._thread.join(timeout)

    def _run(self) -> None:
        while (find := self._next()) is not None:
            try:
                share = make_share(self._store, find)
            except DeviceError as error:
                self._wrong(find, error)
            except Exception as error:  # the thread's outermost edge
                _log.exception("A find could not be made into a share")
                self._wrong(find, WrongHash(f"the host cannot make a share of a find ({error})"))
            else:
                if find.candidate.mined.withdrawn.has_any(share.proof.announcements):
                    self._dropped(find)
                else:
                    self._delivered(share)
            del find  # it holds its set, whose rows are pinned as long

    def _next(self) -> Find | None:
        with self._changed:
            self._changed.wait_for(lambda: self._finds or self._deadline is not None)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                return None
            return self._finds.popleft() if self._finds else None


def make_share(store: AnnouncementStore, find: Find) -> FoundShare:
    """Recompute a find and prove it. Raises `WrongHash` or `WrongTree`."""
    candidate, mined = find.candidate, find.candidate.mined

    def announcement_at(number: int) -> bytes:
        return store.announcement(int(mined.pinned.rows[number % mined.count]))

    made = block_work_hash(find.header, find.low_nonce, announcement_at)
    if made.work_hash != find.work_hash:
        raise WrongHash(
            f"for low nonce {find.low_nonce} it gives the work hash {find.work_hash.hex()}, "
            f"the host {made.work_hash.hex()}"
        )
    if not meets(made.work_hash, candidate.search_target):
        raise WrongHash(
            f"the work hash {made.work_hash.hex()} does not meet the target "
            f"{candidate.search_target:#010x}"
        )
    first, second, third, fourth = map(announcement_at, made.item_numbers)
    announcements = (first, second, third, fourth)
    proof = _prove(mined, made.item_numbers, announcements)
    return FoundShare(
        work=candidate.work,
        header=find.header,
        commitment=candidate.commitment,
        proof=BlockProof(find.low_nonce, announcements, proof),
        work_hash=made.work_hash,
        is_block=meets(made.work_hash, candidate.block_target),
        device=find.device,
    )


def _prove(
    mined: MinedSet, item_numbers: tuple[int, ...], announcements: tuple[bytes, ...]
) -> bytes:
    indexes = [number % mined.count for number in item_numbers]
    proof = create_proof(mined.tree, indexes)
    try:
        root = hash_proof([h32(each) for each in announcements], mined.count, indexes, proof)
    except ProofError as error:
        raise WrongTree(f"its proof tree has wrong nodes: {error}") from error
    if root != mined.root:
        raise WrongTree(f"its proof tree has the root {mined.root.hex()}, a proof {root.hex()}")
    return proof
