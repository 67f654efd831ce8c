"""The announcement layout, once as a header class and once as a NumPy record."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol.announcement import (
    ANNOUNCEMENT_DTYPE,
    ANNOUNCEMENT_SIZE,
    HEADER_SIZE,
    AnnouncementHeader,
    announcement_hash,
    dedup_key,
)
from packetcrypt.protocol.errors import DecodeError

U32 = st.integers(0, 0xFFFFFFFF)
BYTES32 = st.binary(min_size=32, max_size=32)
HEADERS = st.builds(
    AnnouncementHeader,
    version=st.integers(0, 255),
    soft_nonce=st.integers(0, 0xFFFFFF),
    hard_nonce=U32,
    work_bits=U32,
    parent_height=U32,
    content_type=U32,
    content_length=U32,
    content_hash=BYTES32,
    signing_key=BYTES32,
)


@given(HEADERS)
def test_headers_round_trip(header: AnnouncementHeader) -> None:
    assert AnnouncementHeader.decode(header.encode()) == header


@given(HEADERS)
def test_the_record_and_the_header_class_agree(header: AnnouncementHeader) -> None:
    data = header.encode() + bytes(ANNOUNCEMENT_SIZE - HEADER_SIZE)
    record = np.frombuffer(data, ANNOUNCEMENT_DTYPE)[0]
    fields: dict[str, Any] = asdict(header)
    soft_nonce = int.from_bytes(record["soft_nonce"].tobytes(), "little")
    assert soft_nonce == fields.pop("soft_nonce")
    for name in ("content_hash", "signing_key"):
        assert record[name].tobytes() == fields.pop(name)
    assert {name: int(record[name]) for name in fields} == fields


def test_the_record_has_the_size_of_an_announcement() -> None:
    assert ANNOUNCEMENT_DTYPE.itemsize == ANNOUNCEMENT_SIZE
    offsets = {name: ANNOUNCEMENT_DTYPE.fields[name][1] for name in ANNOUNCEMENT_DTYPE.names or ()}
    assert (offsets["siblings"], offsets["root"], offsets["prefix"]) == (88, 920, 984)


def test_with_soft_nonce_changes_nothing_else() -> None:
    header = AnnouncementHeader(hard_nonce=1, work_bits=0x207FFFFF, parent_height=5)
    assert header.with_soft_nonce(0x123456).encode()[1:4].hex() == "563412"
    assert header.with_soft_nonce(9).with_soft_nonce(0) == header


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("soft_nonce", 1 << 24, "from 0 to 16777215"),
        ("hard_nonce", -1, "from 0 to 4294967295"),
        ("work_bits", 1 << 32, "from 0 to 4294967295"),
        ("signing_key", b"short", "exactly 32"),
        ("content_hash", bytes(33), "exactly 32"),
    ],
)
def test_fields_that_do_not_fit_are_refused_by_name(field: str, value: Any, rule: str) -> None:
    fields = {"hard_nonce": 1, "work_bits": 1, "parent_height": 1, field: value}
    with pytest.raises(DecodeError, match=rf"{field}.*{rule}"):
        AnnouncementHeader(**fields)


def test_a_short_header_is_refused() -> None:
    with pytest.raises(DecodeError, match="88 bytes, these are 87"):
        AnnouncementHeader.decode(bytes(87))


def test_the_dedup_key_is_the_first_u64_of_the_hash() -> None:
    announcement = bytes.fromhex(load_vectors("ann_jobs")["jobs"][0]["anns"][0]["bytes"])
    assert announcement_hash(announcement)[:8] == dedup_key(announcement).to_bytes(8, "little")
