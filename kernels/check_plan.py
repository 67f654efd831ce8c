"""What is shared between announcements to be checked, and what is decided without a device.

Announcements of one job, that is of one header (but for the soft nonce), parent block and Merkle
root, have their seeds and random programs in common (spec 1 §4). The backends compute the states
and items; the checks before that and the comparison with the target after it are array operations
here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.announcement import (
    ANNOUNCEMENT_DTYPE,
    HEADER_SIZE,
    PREFIX_OFFSET,
    ROOT_OFFSET,
    VERSION,
)
from packetcrypt.protocol.announcement_job import JobSeeds, TableSeeds
from packetcrypt.protocol.difficulty import min_ann_target_ok, soft_nonce_max
from packetcrypt.protocol.validation import AnnouncementCheck

_HASH_SIZE = 32
_SOFT_NONCE = slice(1, 4)


@dataclass(frozen=True)
class CheckGroup:
    """Announcements of one job with one Merkle root.

    members     : (m,) intp, their indexes among those to be checked, ascending
    table0      : seeds of the table that the Merkle tree is over
    table1      : seeds of the table that the four updates take items from
    search_seed : 32-byte seed of the states
    """

    members: npt.NDArray[np.intp]
    table0: TableSeeds
    table1: TableSeeds
    search_seed: bytes


@dataclass(frozen=True)
class CheckPlan:
    """How to check n announcements.

    results     : (n,) uint8 of `AnnouncementCheck`, OK where hashes must decide
    soft_nonces : (n,) uint32
    groups      : every announcement whose result is OK is a member of one group
    """

    results: npt.NDArray[np.uint8]
    soft_nonces: npt.NDArray[np.uint32]
    groups: list[CheckGroup]


@dataclass(frozen=True)
class NeededItems:
    """Table items that some states ask for, each of them once.

    groups  : (u,) int64, ascending; which group's table the item is of
    numbers : (u,) uint32, item numbers, ascending within a group
    inverse : (m,) intp, which of them every state takes
    """

    groups: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.uint32]
    inverse: npt.NDArray[np.intp]


def plan_checks(
    announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
) -> CheckPlan:
    """Group (n, 1024) uint8 announcements with their (n, 32) uint8 parent block hashes."""
    records = np.ascontiguousarray(announcements).view(ANNOUNCEMENT_DTYPE).reshape(-1)
    soft_nonces = _soft_nonces(records)
    results = _structural_results(records, soft_nonces)
    groups = _groups(announcements, parent_hashes, np.flatnonzero(results == AnnouncementCheck.OK))
    return CheckPlan(results, soft_nonces, groups)


def needed_items(groups: npt.NDArray[np.int64], numbers: npt.NDArray[np.uint64]) -> NeededItems:
    """The distinct items among (m,) group indexes and item numbers below 2^32.

    All states of a job begin with the same item, and later ones meet by chance, the more the larger
    the group.
    """
    pairs = groups.astype(np.uint64) << np.uint64(32) | numbers
    distinct, inverse = np.unique(pairs, return_inverse=True)
    return NeededItems(
        groups=(distinct >> np.uint64(32)).astype(np.int64),
        numbers=distinct.astype(np.uint32),
        inverse=inverse.reshape(-1),
    )


def meet_targets(
    hashes: npt.NDArray[np.uint8], work_bits: npt.NDArray[np.uint32]
) -> npt.NDArray[np.bool_]:
    """`protocol.difficulty.meets` for (n, 32) uint8 hashes and (n,) valid compact targets."""
    exponents = (work_bits >> np.uint32(24)).astype(np.intp)
    above_are_zero = ~np.any(hashes * (np.arange(_HASH_SIZE) >= exponents[:, None]), axis=1)
    # Three zero bytes below byte 0 stand in for what a small exponent reaches past the end.
    padded = np.pad(hashes, ((0, 0), (3, 0))).astype(np.uint32)
    rows = np.arange(len(hashes))
    top = (
        padded[rows, exponents + 2] << np.uint32(16)
        | padded[rows, exponents + 1] << np.uint32(8)
        | padded[rows, exponents]
    )
    met: npt.NDArray[np.bool_] = above_are_zero & (top < (work_bits & np.uint32(0xFFFFFF)))
    return met


def _soft_nonces(records: npt.NDArray[np.void]) -> npt.NDArray[np.uint32]:
    low, middle, high = records["soft_nonce"].astype(np.uint32).T
    nonces: npt.NDArray[np.uint32] = low | middle << np.uint32(8) | high << np.uint32(16)
    return nonces


def _structural_results(
    records: npt.NDArray[np.void], soft_nonces: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint8]:
    """`protocol.validation.structural_check` of every record."""
    work_bits, inverse = np.unique(records["work_bits"], return_inverse=True)
    # −1: the work bits are impossible; so few different ones occur that Python may look at each
    maxima = np.array(
        [soft_nonce_max(bits) if min_ann_target_ok(bits) else -1 for bits in work_bits.tolist()],
        np.int64,
    )[inverse.reshape(-1)]
    results = np.full(len(records), AnnouncementCheck.OK, np.uint8)
    results[soft_nonces > maxima] = AnnouncementCheck.SOFT_NONCE_HIGH
    results[maxima < 0] = AnnouncementCheck.INSUF_POW
    results[records["version"] != VERSION] = AnnouncementCheck.BAD_VERSION
    return results


def _groups(
    announcements: npt.NDArray[np.uint8],
    parent_hashes: npt.NDArray[np.uint8],
    candidates: npt.NDArray[np.intp],
) -> list[CheckGroup]:
    """The groups of the announcements whose indexes are `candidates`."""
    if not len(candidates):
        return []
    chosen = announcements[candidates]
    chosen[:, _SOFT_NONCE] = 0
    parts = (chosen[:, :HEADER_SIZE], chosen[:, ROOT_OFFSET:PREFIX_OFFSET])
    keys = np.concatenate((*parts, parent_hashes[candidates]), axis=1)
    opaque = keys.view(np.dtype((np.void, keys.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(opaque, return_index=True, return_inverse=True)
    by_group = np.argsort(inverse.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(inverse.reshape(-1)))
    return [
        _group(keys[row].tobytes(), candidates[members])
        for row, members in zip(first, np.split(by_group, ends[:-1]), strict=True)
    ]


def _group(key: bytes, members: npt.NDArray[np.intp]) -> CheckGroup:
    seeds = JobSeeds(key[:HEADER_SIZE], key[-_HASH_SIZE:])
    root = key[HEADER_SIZE:-_HASH_SIZE]
    return CheckGroup(members, seeds.table0(), seeds.table1(root), seeds.search(root))
