"""Share posts, replies and pay log events: known forms, round trips, refusals."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.share_messages import (
    BlockEvent,
    SharePost,
    ShareReply,
    ShareResult,
    encryptions_of_share,
    share_event_id,
    share_handler,
)

SHARE = ShareResult(
    pay_to="pkt1qexample",
    block=False,
    time=1_600_000_000_000,
    event_id="00112233445566778899aabbccddeeff",
    target=0x1F0CC00C,
    ann_count=180,
    ann_target=0x200FFFF8,
    encryptions=12345,
)
SHARE_JSON = {
    "type": "share",
    "payTo": "pkt1qexample",
    "block": False,
    "time": 1_600_000_000_000,
    "eventId": "00112233445566778899aabbccddeeff",
    "target": 0x1F0CC00C,
    "annCount": "180",
    "annMinWork": 0x200FFFF8,
    "encryptions": 12345,
}
BLOCK = BlockEvent(hash=bytes(range(32)), height=1000006, difficulty=1234.5, time=1_600_000_000_000)
BLOCK_JSON = {
    "type": "block",
    "hash": "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100",
    "height": 1000006,
    "difficulty": 1234.5,
    "time": 1_600_000_000_000,
    "eventId": "1f1e1d1c1b1a19181716151413121110",
}
HEADER = bytes(range(80))

SHARES = st.builds(
    ShareResult,
    pay_to=st.text(max_size=60),
    block=st.booleans(),
    time=st.integers(0, 2**53 - 1),
    event_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    target=st.integers(0, 0xFFFFFFFF),
    ann_count=st.integers(0, (1 << 64) - 1),
    ann_target=st.integers(0, 0xFFFFFFFF),
    encryptions=st.integers(0, 2**53 - 1),
    header_hash=st.none() | st.binary(min_size=32, max_size=32),
)


def test_a_post() -> None:
    post = SharePost(bytes(47) + b"\x01", b"\x02\x03")
    assert json.loads(post.encode()) == {
        "coinbase_commit": "00" * 47 + "01",
        "header_and_proof": "0203",
    }


@given(st.builds(SharePost, st.binary(min_size=48, max_size=48), st.binary(max_size=300)))
def test_posts_round_trip(post: SharePost) -> None:
    assert SharePost.decode(post.encode()) == post


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coinbase_commit": "00" * 47}, '"coinbase_commit" must be 96 hexadecimal digits'),
        ({"header_and_proof": "abc"}, '"header_and_proof" must be an even number of hexadecimal'),
        ({"header_and_proof": "zz"}, '"header_and_proof" must be an even number of hexadecimal'),
        ({"header_and_proof": None}, '"header_and_proof" must be .* got null'),
    ],
)
def test_posts_of_another_form_are_refused(change: dict[str, Any], message: str) -> None:
    fields = {"coinbase_commit": "00" * 48, "header_and_proof": ""} | change
    with pytest.raises(DecodeError, match=message):
        SharePost.decode(json.dumps(fields))


def test_a_share_event() -> None:
    assert SHARE.as_json() == SHARE_JSON
    assert ShareResult.decode(JsonFields(SHARE_JSON, "event")) == SHARE


def test_a_block_that_was_found_tells_its_hash_as_displayed() -> None:
    share = ShareResult(**vars(SHARE) | {"block": True, "header_hash": bytes(range(32))})
    assert share.as_json() == SHARE_JSON | {"block": True, "headerHash": BLOCK_JSON["hash"]}


@given(SHARES)
def test_share_events_round_trip(share: ShareResult) -> None:
    line = json.dumps(share.as_json())
    assert ShareResult.decode(JsonFields.parse(line, "event")) == share


def test_javascript_writes_large_counts_with_an_exponent() -> None:
    fields = JsonFields(SHARE_JSON | {"encryptions": 1.5e21}, "event")
    assert ShareResult.decode(fields).encryptions == 1_500_000_000_000_000_000_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "anns"),
        ("payTo", 1),
        ("block", 0),
        ("time", -1),
        ("eventId", "00"),
        ("target", 1 << 32),
        ("annCount", 180),
        ("annCount", "-1"),
        ("annCount", "1" * 21),
        ("annMinWork", "200ffff8"),
        ("encryptions", -1),
        ("encryptions", "1"),
        ("headerHash", "00"),
    ],
)
def test_share_events_of_another_form_are_refused(field: str, value: object) -> None:
    with pytest.raises(DecodeError, match=field):
        ShareResult.decode(JsonFields(SHARE_JSON | {field: value}, "event"))


@pytest.mark.parametrize(
    "reply",
    [
        ShareReply(SHARE),
        ShareReply(SHARE, warnings=("odd address",)),
        ShareReply(None, errors=("Share is for wrong work",)),
    ],
    ids=["good", "warned", "refused"],
)
def test_replies_round_trip(reply: ShareReply) -> None:
    assert ShareReply.decode(reply.encode()) == reply


def test_a_reply_without_result_says_so_as_existing_handlers_do() -> None:
    reply = ShareReply(None, errors=("bad",))
    assert json.loads(reply.encode()) == {"warn": [], "error": ["bad"], "result": ""}


@pytest.mark.parametrize("fields", [{}, {"result": None}, {"result": ""}])
def test_every_way_to_have_no_result(fields: dict[str, Any]) -> None:
    body = json.dumps({"warn": [], "error": ["bad"]} | fields)
    assert ShareReply.decode(body) == ShareReply(None, errors=("bad",))


def test_a_block_event() -> None:
    assert BLOCK.as_json() == BLOCK_JSON
    assert BlockEvent.decode(JsonFields(BLOCK_JSON, "event")) == BLOCK


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "share"),
        ("hash", "00"),
        ("height", -1),
        ("difficulty", "1"),
        ("time", None),
        ("eventId", "00" * 16),
    ],
)
def test_block_events_of_another_form_are_refused(field: str, value: object) -> None:
    with pytest.raises(DecodeError, match=field):
        BlockEvent.decode(JsonFields(BLOCK_JSON | {field: value}, "event"))


def test_the_event_id_is_the_header_hash_with_the_low_nonce_mixed_in() -> None:
    assert share_event_id(HEADER, 0) == h32(HEADER)[:16].hex()
    mixed = bytearray(h32(HEADER)[:16])
    mixed[0] ^= 0x01
    mixed[3] ^= 0xFE
    assert share_event_id(HEADER, 0xFE000001) == mixed.hex()


@pytest.mark.parametrize("low_nonce", [0, 1, 0xFFFFFFFF])
@pytest.mark.parametrize("handlers", [1, 2, 3, 7])
def test_the_event_id_tells_which_handler_takes_a_share(low_nonce: int, handlers: int) -> None:
    first_word = int.from_bytes(bytes.fromhex(share_event_id(HEADER, low_nonce))[:4], "little")
    assert share_handler(HEADER, low_nonce, handlers) == first_word % handlers


@pytest.mark.parametrize(
    ("share_target", "encryptions"),
    [
        # No share is easier than the easiest target, which every second hash meets.
        (0x207FFFFF, 2 * 2),
        # 5140 hashes for the target alone: 5140³ / 1024 / 16 (of the announcements) / 180²
        (0x1F0CC00C, 2 * 255),
    ],
)
def test_the_encryptions_of_a_share(share_target: int, encryptions: int) -> None:
    commitment = BlockCommitment(0x200FFFF8, bytes(32), 180)
    assert encryptions_of_share(share_target, commitment) == encryptions
