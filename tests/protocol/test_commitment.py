"""Coinbase commitments against blocks.json, and their place in a coinbase."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol.commitment import (
    MAGIC,
    PLACEHOLDER,
    BlockCommitment,
    insert_commitment,
)
from packetcrypt.protocol.errors import DecodeError

KNOWN = BlockCommitment(0x200FFFF8, bytes(range(32)), 180)


@pytest.mark.parametrize("case", load_vectors("blocks"), ids=lambda case: case["work_hash"][:8])
def test_known_commitments(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["coinbase_commit"])
    commitment = BlockCommitment.decode(data)
    assert commitment.max_target == int(case["ann_min_target"], 16)
    assert commitment.count == case["ann_count"]
    assert commitment.encode() == data


@given(
    st.builds(
        BlockCommitment,
        st.integers(0, 0xFFFFFFFF),
        st.binary(min_size=32, max_size=32),
        st.integers(0, (1 << 64) - 1),
    )
)
def test_commitments_round_trip(commitment: BlockCommitment) -> None:
    assert BlockCommitment.decode(commitment.encode()) == commitment


@pytest.mark.parametrize("size", [0, 47, 49])
def test_another_size_is_refused(size: int) -> None:
    with pytest.raises(DecodeError, match=f"48 bytes, these are {size}"):
        BlockCommitment.decode(bytes(size))


def test_another_magic_is_refused() -> None:
    with pytest.raises(DecodeError, match="begins 09f91102, not 09f91103"):
        BlockCommitment.decode(b"\x09\xf9\x11\x03" + bytes(44))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((1 << 32, bytes(32), 1), "max_target"),
        ((1, bytes(31), 1), "root has 32 bytes"),
        ((1, bytes(32), -1), "count"),
        ((1, bytes(32), 1 << 64), "count"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields: Any, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        BlockCommitment(*fields)


def test_the_commitment_takes_the_place_of_the_placeholder() -> None:
    assert bytes.fromhex("6a3009f91102" + 44 * "fc") == PLACEHOLDER
    coinbase = insert_commitment(b"before" + PLACEHOLDER + b"after", KNOWN.encode())
    assert coinbase == b"before\x6a\x30" + KNOWN.encode() + b"after"


@pytest.mark.parametrize(
    ("coinbase", "found"),
    [
        (b"", 0),
        (PLACEHOLDER[:-1], 0),
        (b"\x6a\x30" + KNOWN.encode(), 0),
        (PLACEHOLDER * 2, 2),
    ],
)
def test_a_coinbase_has_exactly_one_placeholder(coinbase: bytes, found: int) -> None:
    with pytest.raises(DecodeError, match=f"has {found} placeholders"):
        insert_commitment(coinbase, KNOWN.encode())


def test_only_whole_commitments_are_inserted() -> None:
    with pytest.raises(DecodeError, match="48 bytes, this one has 4"):
        insert_commitment(PLACEHOLDER, MAGIC)
