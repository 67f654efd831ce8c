"""How a range of soft nonces is searched and its announcements are finished (spec 1 §4, step 4)."""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.check_plan import meet_targets
from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.cryptocycle import States, init, item_numbers
from packetcrypt.kernels.numpy.merkle import MerkleTree
from packetcrypt.kernels.numpy.workspace import Workspace
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

WHOLE = (0, STATE_SIZE)
"""what is looked at after the last update: all bytes of the state"""
BEYOND_ITEM = (ITEM_OFFSET + ITEM_SIZE, STATE_SIZE)
"""what is looked at after the others: the next item overwrites the bytes before"""
WORK_HASH_WORDS = 4
"""u64 words of a work hash"""


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


class SearchCancelled(Exception):
    """Raised at a checkpoint to leave a search in which nobody is interested any more."""


def search(
    workspace: Workspace, prepared: PreparedTables, first: int, count: int
) -> FoundAnnouncements:
    """Search soft nonces first … first + count − 1, at most the workspace's batch."""
    states = workspace.states[:count]
    init(states, prepared.job.search_seed(prepared.root), np.arange(first, first + count))
    for left in reversed(range(UPDATES)):
        leaves = item_numbers(states, TABLE_SIZE)
        workspace.cycle.update(states, prepared.table, leaves, BEYOND_ITEM if left else WHOLE)
    hashes = work_hashes(workspace.blake, states)
    found = meeting(hashes, prepared.job.header.work_bits)
    states = states[found]
    states[:, :WORK_HASH_WORDS] = hashes[found]
    soft_nonces = (first + found).astype(np.uint32)
    start = time.perf_counter()
    finished = _finish(prepared, soft_nonces, leaves[found], states, workspace.blake)
    workspace.finishing_seconds += time.perf_counter() - start
    return finished


def work_hashes(blake: Blake2b, states: States) -> npt.NDArray[np.uint64]:
    """H32 of each state: (n, 4) uint64"""
    return np.ascontiguousarray(blake.digests(states[:, : STATE_SIZE // 8], 32).T)


def meeting(hashes: npt.NDArray[np.uint64], work_bits: int) -> npt.NDArray[np.intp]:
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
