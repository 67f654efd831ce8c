"""Which announcements of a post are worth hashing, and what its reply says (spec 2 "Checks").

The checks of the request as a whole refuse it with one of the protocol's error texts. Those of the
single announcements run over all of them at once and leave every one with an `Outcome`, so that the
good ones of a post are credited although others are bad.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from packetcrypt.handler.dedup import dedup_keys
from packetcrypt.handler.pool_state import ParentBlock, PoolState
from packetcrypt.protocol.address import check_payto
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE, ANNOUNCEMENT_SIZE, UNUSABLE_KEYS
from packetcrypt.protocol.difficulty import compact_to_target
from packetcrypt.protocol.errors import DecodeError, PacketCryptError
from packetcrypt.protocol.json_fields import U32_MAX
from packetcrypt.protocol.pool_messages import (
    AnnouncementPostHeaders,
    AnnouncementPostReply,
    AnnouncementPostResult,
    post_event_id,
)

BODY_LIMIT = (1 << 20) + (1 << 10)
"""bytes of a post (spec 2)"""


class PostRefused(PacketCryptError):
    """A post that is answered with an error; the message is the protocol's text."""


class Outcome(IntEnum):
    """What became of one announcement."""

    PENDING = 0
    """still to be checked against what was credited before, then by its hashes"""
    ACCEPTED = 1
    DUPLICATE = 2
    INVALID = 3
    BAD_HASH = 4
    """belongs to another handler, or has one of the two keys that no block can use"""


@dataclass(frozen=True)
class Post:
    """A post that passed the checks of its headers.

    state : what the pool asked when the post came. It is judged by that, however long it has to
            wait: the miner could not know more
    """

    headers: AnnouncementPostHeaders
    parent: ParentBlock
    state: PoolState
    body: bytes

    def __post_init__(self) -> None:
        if len(self.body) % ANNOUNCEMENT_SIZE:
            raise PostRefused(f"size not an even multiple of {ANNOUNCEMENT_SIZE}")


@dataclass(frozen=True)
class ExaminedPost:
    """A post with an outcome for each announcement.

    announcements : (n, 1024) uint8
    keys          : (n,) uint64, dedup keys
    outcomes      : (n,) uint8, values of `Outcome`; changed in place as the checks go on
    """

    post: Post
    announcements: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    outcomes: npt.NDArray[np.uint8]

    def indexes(self, outcome: Outcome) -> npt.NDArray[np.intp]:
        """Where this outcome is, ascending."""
        return np.flatnonzero(self.outcomes == outcome)

    def count(self, outcome: Outcome) -> int:
        """How many have this outcome."""
        return int(np.count_nonzero(self.outcomes == outcome))


def check_headers(
    headers: Mapping[str, str], state: PoolState | None
) -> tuple[AnnouncementPostHeaders, ParentBlock]:
    """The headers of a post and the parent block they speak of; raises `PostRefused`."""
    if state is None:
        raise PostRefused("server not ready")
    try:
        decoded = AnnouncementPostHeaders.decode(headers)
        parent = _check_height(decoded.work_number - 1, state)
        check_payto(decoded.pay_to)
    except DecodeError as error:
        raise PostRefused(str(error)) from error
    if decoded.announcement_version not in state.ann_versions:
        raise PostRefused(
            f"announcement version {decoded.announcement_version} is not offered, "
            f"expect {' or '.join(map(str, state.ann_versions))}"
        )
    return decoded, parent


def _check_height(height: int, state: PoolState) -> ParentBlock:
    parent = state.in_slot_of(height)
    if parent.height != height:
        raise PostRefused(f"block number out of range, expect {parent.height} got {height}")
    return parent


def examine(post: Post) -> ExaminedPost:
    """Everything that can be said about announcements before hashing them as work.

    Vectorised, but for one H32 an announcement (about 1.5 µs).
    """
    announcements = np.frombuffer(post.body, np.uint8).reshape(-1, ANNOUNCEMENT_SIZE)
    keys = dedup_keys(post.body)
    records = np.frombuffer(post.body, ANNOUNCEMENT_DTYPE)

    by_hard_nonce = post.headers.soft_version >= 2
    routing = records["hard_nonce"].astype(np.uint64) if by_hard_nonce else keys
    elsewhere = routing % np.uint64(post.state.handler_count) != post.state.handler_number
    has_content = records["content_hash"].any(axis=1)
    signed = records["signing_key"].any(axis=1)
    pool_key = np.frombuffer(post.parent.signing_key or bytes(32), np.uint8)
    invalid = (
        (records["parent_height"] != post.parent.height)
        | _too_easy(records["work_bits"], post.state.ann_target)
        | ~np.isin(records["version"], post.state.ann_versions)
        | (signed & (records["signing_key"] != pool_key).any(axis=1))
        | (has_content != by_hard_nonce)
    )
    outcomes = np.full(len(records), Outcome.PENDING, np.uint8)
    outcomes[invalid] = Outcome.INVALID
    outcomes[elsewhere | np.isin(keys, np.array(UNUSABLE_KEYS, np.uint64))] = Outcome.BAD_HASH
    return ExaminedPost(post, announcements, keys, outcomes)


def _too_easy(work_bits: npt.NDArray[np.uint32], ann_target: int) -> npt.NDArray[np.bool_]:
    """Where the work bits are above the pool's target, as compact numbers or as targets.

    One target has several compact forms: 0x1f7fffff is a smaller number than 0x20001fff and four
    times as easy.
    """
    distinct, where = np.unique(work_bits, return_inverse=True)
    limit = compact_to_target(ann_target)
    too_easy = [bits > ann_target or compact_to_target(bits) > limit for bits in distinct.tolist()]
    return np.array(too_easy, np.bool_)[where]


def result_of(examined: ExaminedPost) -> AnnouncementPostResult:
    """The counts of a post whose announcements all have their final outcome.

    `unsigned` counts accepted announcements without a signature key whether or not the pool has
    one: only the paymaker's rule is different then (spec 2 "Credit of an event"). The target is the
    easiest by its value and not as a compact number, because every announcement of the event is
    paid by it; 0 if none was accepted. The total length stops at what existing miners can read,
    which takes away more than a post can earn.
    """
    accepted = np.frombuffer(examined.post.body, ANNOUNCEMENT_DTYPE)[
        examined.indexes(Outcome.ACCEPTED)
    ]
    return AnnouncementPostResult(
        pay_to=examined.post.headers.pay_to,
        accepted=len(accepted),
        duplicates=examined.count(Outcome.DUPLICATE),
        invalid=examined.count(Outcome.INVALID),
        bad_hash=examined.count(Outcome.BAD_HASH),
        runt=0,
        internal_errors=examined.count(Outcome.PENDING),
        unsigned=int(np.count_nonzero(~accepted["signing_key"].any(axis=1))),
        total_length=min(U32_MAX, int(accepted["content_length"].sum(dtype=np.uint64))),
        target=max(set(accepted["work_bits"].tolist()), key=compact_to_target, default=0),
        time=time.time_ns() // 1_000_000,
        event_id=post_event_id(examined.post.body),
    )


def reply_of(examined: ExaminedPost, result: AnnouncementPostResult) -> AnnouncementPostReply:
    """The reply: an error only if nothing was for this handler, or if the handler failed."""
    if result.internal_errors:
        return AnnouncementPostReply(
            result,
            errors=("internal error, some announcements were not checked: send them again",),
        )
    elsewhere = int(np.count_nonzero(examined.outcomes == Outcome.BAD_HASH))
    if elsewhere and elsewhere == len(examined.outcomes):
        return AnnouncementPostReply(result, errors=("submit elsewhere",))
    if elsewhere:
        return AnnouncementPostReply(result, warnings=(f"submit elsewhere: {elsewhere} of them",))
    return AnnouncementPostReply(result)
