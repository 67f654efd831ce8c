"""work_<h>.bin: its layout byte by byte, round trips, and files that are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.work_file import BlockWork

HEADER = BlockHeader(
    version=0x20000000,
    previous_hash=b"p" * 32,
    merkle_root=b"m" * 32,
    time=1600000000,
    bits=0x1B0404CB,
    nonce=0,
)
WORK = BlockWork(
    header=HEADER,
    signing_key=b"k" * 32,
    share_target=0x1D00FFFF,
    ann_target=0x2001FFFF,
    height=1000006,
    coinbase_no_witness=b"coinbase",
    merkle_branch=(b"a" * 32, b"b" * 32),
)
ENCODED = (
    HEADER.encode()
    + b"k" * 32
    + bytes.fromhex("ffff001d" + "ffff0120" + "46420f00" + "08000000")
    + b"coinbase"
    + b"a" * 32
    + b"b" * 32
)
WRITTEN_BY_EXISTING_MASTER = load_vectors("master_files")
BYTES32 = st.binary(min_size=32, max_size=32)
U32 = st.integers(0, 0xFFFFFFFF)


@pytest.mark.parametrize(
    "case", WRITTEN_BY_EXISTING_MASTER, ids=[case["height"] for case in WRITTEN_BY_EXISTING_MASTER]
)
def test_the_existing_masters_file(case: Any) -> None:
    work = BlockWork(
        header=BlockHeader.decode(bytes.fromhex(case["header"])),
        signing_key=bytes(32),
        share_target=int(case["share_target"], 16),
        ann_target=int(case["ann_target"], 16),
        height=case["height"],
        coinbase_no_witness=bytes.fromhex(case["coinbase_no_witness"]),
        merkle_branch=tuple(map(bytes.fromhex, case["merklebranch"])),
    )
    assert work.encode().hex() == case["work"]
    assert BlockWork.decode(bytes.fromhex(case["work"])) == work


def test_layout() -> None:
    assert WORK.encode() == ENCODED
    assert BlockWork.decode(ENCODED) == WORK


@given(
    st.builds(
        BlockWork,
        header=st.just(HEADER),
        signing_key=BYTES32,
        share_target=U32,
        ann_target=U32,
        height=st.integers(0, 0x7FFFFFFF),
        coinbase_no_witness=st.binary(max_size=100),
        merkle_branch=st.lists(BYTES32, max_size=4).map(tuple),
    )
)
def test_work_round_trips(work: BlockWork) -> None:
    assert BlockWork.decode(work.encode()) == work


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "at least 128 bytes, this one has 0"),
        (ENCODED[:127], "at least 128 bytes, this one has 127"),
        (ENCODED[:135], "coinbase has 8 bytes, 7 are left"),
        (ENCODED[:-1], "Merkle branch has 63 bytes"),
        (ENCODED + b"x", "Merkle branch has 65 bytes"),
        (ENCODED[:120] + b"\xff\xff\xff\xff" + ENCODED[124:], "height -1 does not fit"),
    ],
)
def test_what_is_no_work_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        BlockWork.decode(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("share_target", 1 << 32),
        ("ann_target", -1),
        ("height", 1 << 31),
        ("signing_key", bytes(31)),
        ("merkle_branch", (bytes(32), bytes(33))),
    ],
)
def test_fields_that_do_not_fit_are_refused(field: str, value: Any) -> None:
    with pytest.raises(DecodeError, match=field.replace("_", ".").replace("merkle", "Merkle")):
        BlockWork(**vars(WORK) | {field: value})
