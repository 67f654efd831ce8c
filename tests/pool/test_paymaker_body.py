"""Which lines of a pay log are events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paymaker_setup import ALICE, Event, anns, block, body, share

from packetcrypt.pool.paymaker_body import canonical_address, is_payable, read_pay_log


def test_events_of_all_types_in_their_order() -> None:
    log = body(share(ALICE, 1), anns(ALICE, 2), block(3, 1.0), anns(ALICE, 4))
    told = read_pay_log(log)
    assert [post.time for post in told.announcement_posts] == [2, 4]
    assert [one.time for one in told.shares] == [1]
    assert [one.time for one in told.blocks] == [3]
    assert told.refused == ()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n  \n"])
def test_ends_of_lines(end: bytes) -> None:
    log = body(share(ALICE, 1)).replace(b"\n", b"\r\n") + body(share(ALICE, 2)).strip() + end
    assert [one.time for one in read_pay_log(log).shares] == [1, 2]
    assert read_pay_log(log).refused == ()


def test_fields_of_a_newer_handler_are_no_mistake() -> None:
    assert len(read_pay_log(body(share(ALICE, 1, colour="red"))).shares) == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "tax"}, 'line 1: field "type" must be "anns", "share" or "block", got \'tax\''),
        ({}, 'line 1: field "type" is missing'),
        (share(ALICE, -1), 'line 1: field "time" must be an integer from 0'),
        (share(ALICE, 1, target=0), 'line 1: field "target" is no compact target: 0x0'),
        (share(ALICE, 1, target=0x20800000), 'line 1: field "target" is no compact target'),
        (share(ALICE, 1, target=0xFFFFFFFF), 'line 1: field "target" is no compact target'),
        (anns(ALICE, 1, target=0), 'line 1: field "target" is no compact target: 0x0'),
        (anns(ALICE, 1, accepted=1.5), 'line 1: field "accepted" must be an integer'),
        (anns(ALICE, 1, accepted=-1), 'line 1: field "accepted" must be an integer'),
        (anns("", 1), 'line 1: field "payTo": '),
        (share("a b", 1), "line 1: field \"payTo\": 'invalid payto a b'"),
        (share("x" * 64, 1), "line 1: field \"payTo\": 'payto too long'"),
        (share(ALICE, 1, eventId="ab"), 'line 1: field "eventId" must be 32 hexadecimal digits'),
        (block(1, 0.0), 'line 1: field "difficulty" must be more than 0, got 0.0'),
        (block(1, -1.0), 'line 1: field "difficulty" must be more than 0'),
        (block(1, 1.0, eventId="00" * 16), 'field "eventId" must begin the hash'),
    ],
)
def test_what_is_no_event(event: Event, reason: str) -> None:
    told = read_pay_log(body(event, share(ALICE, 1)))
    assert len(told.shares) == 1
    (refused,) = told.refused
    assert reason in refused.reason
    assert (refused.number, refused.content) == (1, json.dumps(event).encode())


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"7", b"\xff", b"NaN", b"null", b"[" * 100_000, b'{"type":"anns"']
)
def test_what_is_no_json_object(line: bytes) -> None:
    told = read_pay_log(line + b"\n" + body(share(ALICE, 1)))
    assert [(one.number, one.content) for one in told.refused] == [(1, line)]
    assert len(told.shares) == 1


def test_a_post_of_which_nothing_was_taken_may_have_any_target() -> None:
    assert len(read_pay_log(body(anns(ALICE, 1, accepted=0, target=0))).announcement_posts) == 1


@given(st.binary(max_size=300))
def test_no_bytes_are_an_error(junk: bytes) -> None:
    told = read_pay_log(junk)
    lines = [line for line in junk.split(b"\n") if line.strip()]
    assert [one.content for one in told.refused] == lines


def test_addresses() -> None:
    legacy = "pHAuXHVMWSyyNE9Hd5tTS8jTvpRH8wQuLy"
    assert canonical_address(ALICE.upper()) == ALICE
    assert canonical_address("nobody") == "nobody"
    assert is_payable(ALICE)
    assert not is_payable("nobody")
    assert canonical_address(legacy) == legacy
