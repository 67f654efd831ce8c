"""How a range of soft nonces is searched and its announcements are finished (spec 1 §4, step 4)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.check_plan import meet_targets
from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.cryptocycle import (
    CryptoCycle,
    States,
    empty_states,
    init,
    item_numbers,
)
from packetcrypt.kernels.numpy.merkle import MerkleTree
from packetcrypt.protocol.announcement import (
    ANNOUNCEMENT_DTYPE,
    ANNOUNCEMENT_SIZE,
    ENCRYPTED_SIZE,
    HEADER_SIZE,
    PREFIX_OFFSET,
    ROOT_OFFSET,
    SIBLINGS_OFFSET,
    TABLE_SIZE,
)
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.cryptocycle import ITEM_OFFSET, ITEM_SIZE, STATE_SIZE
from packetcrypt.protocol.difficulty import compact_to_target
from packetcrypt.protocol.validation import UPDATES

#: Soft nonces that one thread carries through all stages together: enough for long arrays in every
#: slab, few enough for the states (9 MB) to stay in a share of the L3 cache.
BATCH = 4096

_WHOLE = (0, STATE_SIZE)
#: An update's item overwrites the state up to here before anything has looked at it.
_BEYOND_ITEM = (ITEM_OFFSET + ITEM_SIZE, STATE_SIZE)
_HASH_ROWS = 1024


@dataclass(frozen=True)
class PreparedTables:
    """A job ready to be searched.

    table : (8192, 128) uint64, the items of T1
    tree  : over T0
    """

    job: AnnouncementJob
    root: bytes
    table: npt.NDArray[np.uint64]
    tree: MerkleTree


class Searcher:
    """The buffers in which one thread searches: about 16 MB.

    checkpoint : called every few milliseconds; the exception that it raises ends the search
    """

    def __init__(self, checkpoint: Callable[[], None] = lambda: None) -> None:
        self._checkpoint = checkpoint
        self._states = empty_states(BATCH)
        self._cycle = CryptoCycle(checkpoint)
        self._blake = Blake2b(_HASH_ROWS)

    def search(self, prepared: PreparedTables, first: int, count: int) -> FoundAnnouncements:
        """Search soft nonces first … first + count − 1, at most `BATCH` of them."""
        states = self._states[:count]
        init(states, prepared.job.search_seed(prepared.root), np.arange(first, first + count))
        leaves = final_states(self._cycle, states, prepared.table)
        hashes = work_hashes(self._blake, states, self._checkpoint)
        found = _meeting(hashes, prepared.job.header.work_bits)
        states = states[found]
        states[:, :4] = hashes[found]
        return _finish(
            prepared, (first + found).astype(np.uint32), leaves[found], states, self._blake
        )


def final_states(
    cycle: CryptoCycle, states: States, table: npt.NDArray[np.uint64]
) -> npt.NDArray[np.intp]:
    """Put fresh states through the four updates; returns the last item number of each: (n,)"""
    for left in reversed(range(UPDATES)):
        numbers = item_numbers(states, TABLE_SIZE)
        cycle.update(states, table, numbers, _BEYOND_ITEM if left else _WHOLE)
    return numbers


def work_hashes(
    blake: Blake2b, states: States, checkpoint: Callable[[], None]
) -> npt.NDArray[np.uint64]:
    """H32 of each state: (n, 4) uint64"""
    hashes = np.empty((len(states), 4), np.uint64)
    for start in range(0, len(states), _HASH_ROWS):
        piece = states[start : start + _HASH_ROWS, : STATE_SIZE // 8]
        hashes[start : start + _HASH_ROWS] = blake.digests(piece, 32).T
        checkpoint()
    return hashes


def _meeting(hashes: npt.NDArray[np.uint64], work_bits: int) -> npt.NDArray[np.intp]:
    """Indexes of the (n, 4) uint64 hashes that meet a compact target."""
    # Nearly all hashes fail at their top word already.
    top = np.uint64(compact_to_target(work_bits) >> 192)
    candidates = np.flatnonzero(hashes[:, 3] <= top)
    exact = hashes[candidates].view(np.uint8)
    return candidates[meet_targets(exact, np.full(len(candidates), work_bits, np.uint32))]


def _finish(
    prepared: PreparedTables,
    soft_nonces: npt.NDArray[np.uint32],
    leaves: npt.NDArray[np.intp],
    states: States,
    blake: Blake2b,
) -> FoundAnnouncements:
    """Lay out and encrypt announcements with the final states that were found."""
    count = len(soft_nonces)
    announcements = np.zeros((count, ANNOUNCEMENT_SIZE), np.uint8)
    announcements[:, :HEADER_SIZE] = np.frombuffer(prepared.job.encoded_header, np.uint8)
    records = announcements.view(ANNOUNCEMENT_DTYPE).reshape(-1)
    records["soft_nonce"] = soft_nonces.astype("<u4").view(np.uint8).reshape(count, 4)[:, :3]
    records["siblings"] = prepared.tree.branches(leaves).view(np.uint8)
    records["root"] = np.frombuffer(prepared.root, np.uint8)
    encrypt(announcements, states)
    keys = blake.digests(announcements.view(np.uint64), 32)[0]
    return FoundAnnouncements(announcements, keys, soft_nonces)


def encrypt(announcements: npt.NDArray[np.uint8], states: States) -> None:
    """XOR final states onto the encrypted fields of (n, 1024) uint8 announcements, either way."""
    pad = np.ascontiguousarray(states).view(np.uint8)[:, :ENCRYPTED_SIZE]
    branch_size = ROOT_OFFSET - SIBLINGS_OFFSET
    announcements[:, SIBLINGS_OFFSET:ROOT_OFFSET] ^= pad[:, :branch_size]
    announcements[:, PREFIX_OFFSET:] ^= pad[:, branch_size:]
