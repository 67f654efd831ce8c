"""Messages of the pool: what is written can be read, and only what the protocol says is read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.pool_messages import (
    AnnouncementPostHeaders,
    AnnouncementPostReply,
    AnnouncementPostResult,
    BlockInfo,
    MasterConfig,
    post_event_id,
)

HASH = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
CONFIG: dict[str, Any] = {
    "tipHash": HASH,
    "currentHeight": 1000,
    "masterUrl": "http://pool.example/master",
    "submitAnnUrls": ["http://a.example/submit", "http://b.example/submit"],
    "downloadAnnUrls": ["http://a.example"],
    "submitBlockUrls": ["http://c.example/submit"],
    "paymakerUrl": "http://pool.example/paymaker",
    "version": 3,
    "softVersion": 1,
    "annVersions": [1],
    "mineOldAnns": 2,
    "annTarget": 0x2000FFFF,
}
HEADER: dict[str, Any] = {
    "hash": HASH,
    "height": 999,
    "version": 536870912,
    "versionHex": "20000000",
    "merkleroot": HASH,
    "time": 1_600_000_000,
    "nonce": 7,
    "bits": "1e0fffff",
    "difficulty": 12.5,
    "previousblockhash": HASH,
}
RESULT: dict[str, Any] = {
    "type": "anns",
    "accepted": 3,
    "dup": 1,
    "inval": 2,
    "badHash": 0,
    "runt": 0,
    "internalErr": 0,
    "payTo": "pkt1qexample",
    "unsigned": 3,
    "totalLen": 0,
    "target": 0x2000FFFF,
    "time": 1_600_000_000_123,
    "eventId": "00112233445566778899aabbccddeeff",
}

u32s = st.integers(0, 2**32 - 1)
i32s = st.integers(0, 2**31 - 1)
hashes = st.binary(min_size=32, max_size=32)
urls = st.text(max_size=30)
url_lists = st.lists(urls, max_size=4).map(tuple)
configs = st.builds(
    MasterConfig,
    tip_hash=hashes,
    current_height=i32s,
    master_url=urls,
    submit_ann_urls=url_lists,
    download_ann_urls=url_lists,
    submit_block_urls=url_lists,
    paymaker_url=urls,
    mine_old_anns=i32s,
    ann_target=u32s,
    ann_versions=st.lists(u32s, max_size=3).map(tuple),
    version=st.just(3),
    soft_version=u32s,
    blkinfo_url=st.none() | urls,
)
block_infos = st.builds(
    BlockInfo,
    hash=hashes,
    height=i32s,
    version=st.integers(-(2**31), 2**32 - 1),
    merkle_root=hashes,
    time=u32s,
    nonce=u32s,
    bits=u32s,
    difficulty=st.floats(0, 1e30),
    previous_hash=st.none() | hashes,
    signing_key=st.none() | hashes,
)
results = st.builds(
    AnnouncementPostResult,
    pay_to=st.text(max_size=63),
    accepted=u32s,
    duplicates=u32s,
    invalid=u32s,
    bad_hash=u32s,
    runt=u32s,
    internal_errors=u32s,
    unsigned=u32s,
    total_length=st.integers(0, 2**53 - 1),
    target=u32s,
    time=st.integers(0, 2**53 - 1),
    event_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
)
texts = st.lists(st.text(max_size=20), max_size=3).map(tuple)


def altered(fields: dict[str, Any], name: str, value: object) -> bytes:
    return json.dumps(fields | {name: value}).encode()


def without(fields: dict[str, Any], name: str) -> bytes:
    return json.dumps({key: value for key, value in fields.items() if key != name}).encode()


@given(configs)
def test_config_round_trip(config: MasterConfig) -> None:
    assert MasterConfig.decode(config.encode()) == config


@given(block_infos)
def test_block_info_round_trip(info: BlockInfo) -> None:
    assert BlockInfo.decode(info.encode()) == info


@given(st.builds(AnnouncementPostReply, st.none() | results, texts, texts))
def test_reply_round_trip(reply: AnnouncementPostReply) -> None:
    assert AnnouncementPostReply.decode(reply.encode()) == reply


@given(st.builds(AnnouncementPostHeaders, st.text(max_size=63), u32s, u32s, u32s))
def test_post_headers_round_trip(headers: AnnouncementPostHeaders) -> None:
    assert AnnouncementPostHeaders.decode(headers.encode()) == headers


def test_hashes_are_in_display_order_in_json_and_internal_order_in_memory() -> None:
    assert MasterConfig.decode(json.dumps(CONFIG)).tip_hash == bytes.fromhex(HASH)[::-1]


def test_config_as_the_master_writes_it_is_reproduced() -> None:
    assert json.loads(MasterConfig.decode(json.dumps(CONFIG)).encode()) == CONFIG


def test_block_info_as_the_master_writes_it_is_reproduced() -> None:
    message = {"header": HEADER, "sigKey": HASH}
    assert json.loads(BlockInfo.decode(json.dumps(message)).encode()) == message


def test_result_as_the_handler_writes_it_is_reproduced() -> None:
    assert AnnouncementPostResult.decode(JsonFields(RESULT, "event")).as_json() == RESULT


def test_unknown_fields_are_ignored() -> None:
    assert MasterConfig.decode(altered(CONFIG, "tomorrow", {"x": 1})) == MasterConfig.decode(
        json.dumps(CONFIG)
    )


@pytest.mark.parametrize("name", list(CONFIG))
def test_every_config_field_is_required(name: str) -> None:
    with pytest.raises(DecodeError, match=f'config.json: field "{name}" is missing'):
        MasterConfig.decode(without(CONFIG, name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tipHash", HASH[1:]),
        ("tipHash", "xy" + HASH[2:]),
        ("tipHash", None),
        ("currentHeight", -1),
        ("currentHeight", 2**31),
        ("currentHeight", "1000"),
        ("currentHeight", True),
        ("masterUrl", None),
        ("masterUrl", 1),
        ("submitAnnUrls", "http://a.example/submit"),
        ("submitAnnUrls", [1]),
        ("submitAnnUrls", None),
        ("downloadAnnUrls", {}),
        ("submitBlockUrls", [None]),
        ("paymakerUrl", []),
        ("version", "3"),
        ("version", 4),
        ("version", 2),
        ("softVersion", 1.5),
        ("annVersions", 1),
        ("annVersions", [True]),
        ("mineOldAnns", -1),
        ("mineOldAnns", False),
        ("annTarget", "2000ffff"),
        ("annTarget", 2**32),
        ("blkinfoUrl", 5),
    ],
)
def test_an_ill_typed_config_field_is_named(name: str, value: object) -> None:
    with pytest.raises(DecodeError, match=f'config.json: field "{name}"'):
        MasterConfig.decode(altered(CONFIG, name, value))


def test_another_version_of_the_protocol_says_what_to_do() -> None:
    with pytest.raises(DecodeError, match=r"speaks version 3 .* only; look for a newer release"):
        MasterConfig.decode(altered(CONFIG, "version", 4))


@pytest.mark.parametrize("name", sorted(HEADER.keys() - {"versionHex", "previousblockhash"}))
def test_every_needed_header_field_is_required(name: str) -> None:
    header = {key: value for key, value in HEADER.items() if key != name}
    with pytest.raises(DecodeError, match=f'field "header": field "{name}" is missing'):
        BlockInfo.decode(json.dumps({"header": header, "sigKey": None}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hash", HASH + "00"),
        ("height", "999"),
        ("time", True),
        ("nonce", -1),
        ("bits", 0x1E0FFFFF),
        ("difficulty", "12.5"),
        ("previousblockhash", 0),
    ],
)
def test_an_ill_typed_header_field_is_named(name: str, value: object) -> None:
    with pytest.raises(DecodeError, match=f'blkinfo: field "header": field "{name}"'):
        BlockInfo.decode(json.dumps({"header": HEADER | {name: value}, "sigKey": None}))


@pytest.mark.parametrize("key", ["", "00", 5, HASH + "00"])
def test_an_ill_typed_signing_key_is_named(key: object) -> None:
    with pytest.raises(DecodeError, match='blkinfo: field "sigKey"'):
        BlockInfo.decode(json.dumps({"header": HEADER, "sigKey": key}))


@pytest.mark.parametrize("name", list(RESULT))
def test_every_result_field_is_required(name: str) -> None:
    body = json.dumps({"warn": [], "error": [], "result": json.loads(without(RESULT, name))})
    with pytest.raises(DecodeError, match=f'field "result": field "{name}" is missing'):
        AnnouncementPostReply.decode(body)


@pytest.mark.parametrize("name", ["warn", "error"])
def test_warnings_and_errors_are_required(name: str) -> None:
    with pytest.raises(DecodeError, match=f'announcement post reply: field "{name}" is missing'):
        AnnouncementPostReply.decode(without({"warn": [], "error": [], "result": None}, name))


def test_a_result_of_another_type_is_refused() -> None:
    body = json.dumps({"warn": [], "error": [], "result": RESULT | {"type": "share"}})
    with pytest.raises(DecodeError, match='"type" must be "anns", got \'share\''):
        AnnouncementPostReply.decode(body)


@pytest.mark.parametrize("value", ["", "-1", "1.0", "4294967296", "٣", "1" * 5000, " 1"])
def test_a_header_that_is_no_u32_is_named(value: str) -> None:
    headers = AnnouncementPostHeaders("pkt1q", 5).encode() | {"x-pc-worknum": value}
    with pytest.raises(DecodeError, match="header x-pc-worknum must be an integer from 0 to"):
        AnnouncementPostHeaders.decode(headers)


@pytest.mark.parametrize("name", ["x-pc-payto", "x-pc-sver", "x-pc-annver", "x-pc-worknum"])
def test_every_post_header_is_required(name: str) -> None:
    headers = AnnouncementPostHeaders("pkt1q", 5).encode()
    del headers[name]
    with pytest.raises(DecodeError, match=f"header {name} is missing"):
        AnnouncementPostHeaders.decode(headers)


def test_event_id_is_half_of_the_bodys_hash() -> None:
    # The first 16 bytes of unkeyed BLAKE2b-256 of the empty string.
    assert post_event_id(b"") == "0e5751c026e543b2e8ab2eb06099daa1"
