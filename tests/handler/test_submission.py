"""Which announcements are hashed at all; over HTTP in test_server."""

from dataclasses import replace

import numpy as np
import pytest
from handler_announcements import SIGNED, UNSIGNED
from handler_setup import PAY_TO

from packetcrypt.handler.pool_state import ParentBlock, PoolState
from packetcrypt.handler.submission import (
    ExaminedPost,
    Outcome,
    Post,
    PostRefused,
    check_headers,
    examine,
    reply_of,
    result_of,
)
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.pool_messages import AnnouncementPostHeaders, AnnouncementPostResult

POOL_KEY = bytes(range(32))
PARENT = ParentBlock(1000, bytes(32), None, POOL_KEY)
STATE = PoolState(
    parents=(PARENT,),
    handler_number=0,
    handler_count=1,
    ann_target=0x2000FFFF,
    ann_versions=(1,),
)
HEADER = AnnouncementHeader(hard_nonce=7, work_bits=0x2000FFFF, parent_height=1000)


def _examined(
    header: AnnouncementHeader, soft_version: int = 1, state: PoolState = STATE
) -> ExaminedPost:
    headers = AnnouncementPostHeaders(PAY_TO, 1001, soft_version)
    return examine(Post(headers, PARENT, state, header.encode().ljust(1024, b"\1")))


@pytest.mark.parametrize(
    ("change", "soft_version", "outcome"),
    [
        ({}, 1, Outcome.PENDING),
        ({"signing_key": POOL_KEY}, 1, Outcome.PENDING),
        ({"signing_key": POOL_KEY[::-1]}, 1, Outcome.INVALID),
        ({"version": 0}, 1, Outcome.INVALID),
        ({"version": 2}, 1, Outcome.INVALID),
        ({"work_bits": 0x20010000}, 1, Outcome.INVALID),
        ({"work_bits": 0x2000FFFE}, 1, Outcome.PENDING),
        ({"parent_height": 999}, 1, Outcome.INVALID),
        ({"parent_height": 1006}, 1, Outcome.INVALID),
        ({"content_hash": bytes([1]) * 32}, 1, Outcome.INVALID),
        ({"content_hash": bytes(31) + b"\1"}, 2, Outcome.PENDING),
        ({}, 2, Outcome.INVALID),
        ({"content_type": 5, "content_length": 9}, 1, Outcome.PENDING),
    ],
)
def test_outcomes_before_hashing(
    change: dict[str, object], soft_version: int, outcome: Outcome
) -> None:
    header = replace(HEADER, **change)  # type: ignore[arg-type]

    assert _examined(header, soft_version).outcomes.tolist() == [outcome]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("hard_nonce", [0, 1, 6, 2**32 - 1])
def test_with_soft_version_2_the_hard_nonce_routes(count: int, hard_nonce: int) -> None:
    header = replace(HEADER, hard_nonce=hard_nonce, content_hash=bytes([1]) * 32)
    outcomes = [
        _examined(header, 2, replace(STATE, handler_number=n, handler_count=count)).outcomes[0]
        for n in range(count)
    ]

    assert [n for n, o in enumerate(outcomes) if o == Outcome.PENDING] == [hard_nonce % count]
    assert outcomes.count(Outcome.BAD_HASH) == count - 1


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_with_soft_version_1_the_dedup_key_routes(count: int) -> None:
    key = dedup_key(HEADER.encode().ljust(1024, b"\1"))
    outcomes = [
        _examined(HEADER, 1, replace(STATE, handler_number=n, handler_count=count)).outcomes[0]
        for n in range(count)
    ]

    assert [n for n, o in enumerate(outcomes) if o == Outcome.PENDING] == [key % count]


def test_a_pool_may_offer_several_versions() -> None:
    state = replace(STATE, ann_versions=(1, 2))

    assert _examined(replace(HEADER, version=2), state=state).outcomes.tolist() == [Outcome.PENDING]


def test_the_result_counts_what_was_accepted_only() -> None:
    headers = AnnouncementPostHeaders(PAY_TO, 1001)
    contents = [
        (0x1F00FFFF, 100, POOL_KEY),
        (0x2000FFFF, 16384, bytes(32)),
        (1, 2**32 - 1, POOL_KEY),
    ]
    body = b"".join(
        replace(HEADER, work_bits=bits, content_length=length, signing_key=key)
        .encode()
        .ljust(1024, b"\1")
        for bits, length, key in contents
    )
    examined = examine(Post(headers, PARENT, STATE, body))
    examined.outcomes[:] = (Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.DUPLICATE)

    result = result_of(examined)

    assert (result.accepted, result.duplicates, result.invalid, result.bad_hash) == (2, 1, 0, 0)
    assert result.target == 0x2000FFFF
    assert result.total_length == 16484
    assert result.unsigned == 1


@pytest.mark.parametrize(
    ("outcomes", "errors", "warnings"),
    [
        ([Outcome.ACCEPTED] * 2, 0, 0),
        ([Outcome.INVALID] * 2, 0, 0),
        ([Outcome.BAD_HASH] * 2, 1, 0),
        ([Outcome.BAD_HASH, Outcome.ACCEPTED], 0, 1),
        ([Outcome.PENDING, Outcome.ACCEPTED], 1, 0),
    ],
)
def test_errors_and_warnings(outcomes: list[Outcome], errors: int, warnings: int) -> None:
    body = HEADER.encode().ljust(1024, b"\1") * 2
    examined = examine(Post(AnnouncementPostHeaders(PAY_TO, 1001), PARENT, STATE, body))
    examined.outcomes[:] = np.array(outcomes, np.uint8)

    reply = reply_of(examined, result_of(examined))

    assert (len(reply.errors), len(reply.warnings)) == (errors, warnings)


def test_the_height_is_complained_about_before_the_payto() -> None:
    headers = AnnouncementPostHeaders("not one", 5).encode()

    with pytest.raises(PostRefused, match="block number out of range, expect 1000 got 4"):
        check_headers(headers, STATE)


def test_real_announcements_reach_the_hash() -> None:
    for job in (UNSIGNED, SIGNED):
        parent = ParentBlock(job.parent_height, job.parent_hash, None, job.signing_key)
        state = replace(STATE, parents=(parent,), ann_target=0x207FFFFF)
        headers = AnnouncementPostHeaders(PAY_TO, job.work_number)

        examined = examine(Post(headers, parent, state, b"".join(job.announcements)))

        assert examined.outcomes.tolist() == [Outcome.PENDING] * 3


@pytest.mark.parametrize(
    ("ann_target", "work_bits", "outcome"),
    [
        (0x20001FFF, 0x20001FFF, Outcome.PENDING),
        (0x20001FFF, 0x1F1FFF00, Outcome.PENDING),  # the same target in its shortest form
        (0x20001FFF, 0x1F7FFFFF, Outcome.INVALID),  # a smaller number, and four times as easy
        (0x1F1FFF00, 0x20001FFF, Outcome.INVALID),  # the same target, but a larger number
    ],
)
def test_no_compact_form_is_easier_than_the_pool_wants(
    ann_target: int, work_bits: int, outcome: Outcome
) -> None:
    examined = _examined(
        replace(HEADER, work_bits=work_bits), state=replace(STATE, ann_target=ann_target)
    )

    assert examined.outcomes.tolist() == [outcome]


def _result_of_accepted(**columns: list[int]) -> AnnouncementPostResult:
    """The result of a post of which everything was accepted; columns of header fields."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    body = b"".join(replace(HEADER, **row).encode().ljust(1024, b"\1") for row in rows)
    examined = examine(Post(AnnouncementPostHeaders(PAY_TO, 1001), PARENT, STATE, body))
    examined.outcomes[:] = Outcome.ACCEPTED
    return result_of(examined)


def test_an_announcement_of_large_but_hard_bits_does_not_raise_the_pay_of_easy_ones() -> None:
    # 0x20000001 is the larger number, and 2^15 times as hard.
    assert _result_of_accepted(work_bits=[0x1F7FFFFF, 0x20000001]).target == 0x1F7FFFFF


def test_a_total_length_stays_readable_for_existing_miners() -> None:
    assert _result_of_accepted(content_length=[2**32 - 1] * 3).total_length == 2**32 - 1
