"""bt_<h>.bin: its layout byte by byte, round trips, and files that are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.errors import DecodeError

HEADER = BlockHeader(
    version=2,
    previous_hash=b"p" * 32,
    merkle_root=bytes(32),
    time=1600000000,
    bits=0x207FFFFF,
    nonce=0,
)
TEMPLATE = BlockTemplate(
    height=1000006,
    header=HEADER,
    coinbase_no_witness=b"coinbase",
    merkle_branch=(b"a" * 32,),
    transactions=(b"coinbase, witness", b"t" * 300),
)
ENCODED = (
    b"\x01\x01"
    + b"\x05\xfe\x46\x42\x0f\x00"
    + b"\x50"
    + HEADER.encode()
    + b"\x08coinbase"
    + b"\x21\x20"
    + b"a" * 32
    + b"\xfd\x41\x01"  # 18 + 303
    + b"\x11coinbase, witness"
    + b"\xfd\x2c\x01"
    + b"t" * 300
)
WRITTEN_BY_EXISTING_MASTER = load_vectors("master_files")
BYTES32 = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(
    "case", WRITTEN_BY_EXISTING_MASTER, ids=[case["height"] for case in WRITTEN_BY_EXISTING_MASTER]
)
def test_the_existing_masters_file(case: Any) -> None:
    template = BlockTemplate(
        height=case["height"],
        header=BlockHeader.decode(bytes.fromhex(case["header"])),
        coinbase_no_witness=bytes.fromhex(case["coinbase_no_witness"]),
        merkle_branch=tuple(map(bytes.fromhex, case["merklebranch"])),
        transactions=tuple(map(bytes.fromhex, case["transactions"])),
    )
    assert template.encode().hex() == case["block_template"]
    assert BlockTemplate.decode(bytes.fromhex(case["block_template"])) == template


def test_layout() -> None:
    assert TEMPLATE.encode() == ENCODED
    assert BlockTemplate.decode(ENCODED) == TEMPLATE


@given(
    st.builds(
        BlockTemplate,
        height=st.integers(0, 0x7FFFFFFF),
        header=st.just(HEADER),
        coinbase_no_witness=st.binary(max_size=300),
        merkle_branch=st.lists(BYTES32, max_size=4).map(tuple),
        transactions=st.lists(st.binary(max_size=300), max_size=4).map(tuple),
    )
)
def test_templates_round_trip(template: BlockTemplate) -> None:
    assert BlockTemplate.decode(template.encode()) == template


@pytest.mark.parametrize("size", range(len(ENCODED)))
def test_a_template_cut_short_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        BlockTemplate.decode(ENCODED[:size])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x01\x02" + ENCODED[2:], "version 2, but this program reads version 1"),
        (b"\x02\x01x" + ENCODED[2:], "version goes on for 1 bytes"),
        (ENCODED + b"xy", "goes on for 2 bytes"),
        (ENCODED.replace(b"\x21\x20" + b"a" * 32, b"\x20\x1f" + b"a" * 31), "branch has 31 bytes"),
        (ENCODED.replace(b"\x21\x20" + b"a" * 32, b"\x20" + b"a" * 32), "says it has 97 bytes"),
        (ENCODED.replace(b"\xfe\x46\x42\x0f\x00", b"\xfe\x00\x00\x00\x80"), "height 2147483648"),
        (ENCODED.replace(b"\x50" + HEADER.encode(), b"\x01x"), "80 bytes, these are 1"),
    ],
)
def test_what_is_no_template_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        BlockTemplate.decode(data)


@pytest.mark.parametrize(
    ("field", "value"), [("height", -1), ("height", 1 << 31), ("merkle_branch", (bytes(31),))]
)
def test_fields_that_do_not_fit_are_refused(field: str, value: Any) -> None:
    with pytest.raises(DecodeError, match=r"does not fit|hash 0 of the Merkle branch has 31"):
        BlockTemplate(**vars(TEMPLATE) | {field: value})
