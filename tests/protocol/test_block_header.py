"""Block headers and Merkle roots, with blocks of Bitcoin as known answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.block_header import BlockHeader, merkle_root, split_branch
from packetcrypt.protocol.errors import DecodeError

# Bitcoin's block 0: the header's rules are the same, and everybody knows its hash.
GENESIS_COINBASE = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d"
    "0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66"
    "207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe55"
    "48271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba"
    "0b8d578a4c702b6bf11d5fac00000000"
)
GENESIS = BlockHeader(
    version=1,
    previous_hash=bytes(32),
    merkle_root=merkle_root(GENESIS_COINBASE, ()),
    time=1231006505,
    bits=0x1D00FFFF,
    nonce=2083236893,
)
GENESIS_HASH = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"

BYTES32 = st.binary(min_size=32, max_size=32)
U32 = st.integers(0, 0xFFFFFFFF)
HEADERS = st.builds(
    BlockHeader,
    version=st.integers(-(1 << 31), (1 << 31) - 1),
    previous_hash=BYTES32,
    merkle_root=BYTES32,
    time=U32,
    bits=U32,
    nonce=U32,
)


def test_a_known_block() -> None:
    assert GENESIS.merkle_root[::-1].hex() == (
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    )
    assert GENESIS.block_hash[::-1].hex() == GENESIS_HASH


@given(HEADERS)
def test_headers_round_trip(header: BlockHeader) -> None:
    assert len(header.encode()) == 80
    assert BlockHeader.decode(header.encode()) == header


def test_the_coinbase_is_always_the_left_leaf() -> None:
    """Two leaves, and four: the siblings on the coinbase's way, lowest first."""
    one, two = b"\x01" * 32, b"\x02" * 32
    leaf = merkle_root(b"coinbase", ())
    # A node is the double hash of the joined children, which is what a "coinbase" of them gives.
    pair = merkle_root(leaf + one, ())
    assert merkle_root(b"coinbase", (one,)) == pair
    assert merkle_root(b"coinbase", (one, two)) == merkle_root(pair + two, ())


@pytest.mark.parametrize("size", [0, 79, 81])
def test_another_size_is_refused(size: int) -> None:
    with pytest.raises(DecodeError, match=f"80 bytes, these are {size}"):
        BlockHeader.decode(bytes(size))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 1 << 31),
        ("version", -(1 << 31) - 1),
        ("time", -1),
        ("bits", 1 << 32),
        ("nonce", 1 << 32),
        ("previous_hash", bytes(31)),
        ("merkle_root", bytes(33)),
    ],
)
def test_fields_that_do_not_fit_are_refused(field: str, value: Any) -> None:
    fields: dict[str, Any] = {
        "version": 1,
        "previous_hash": bytes(32),
        "merkle_root": bytes(32),
        "time": 0,
        "bits": 0,
        "nonce": 0,
    }
    with pytest.raises(DecodeError, match=field):
        BlockHeader(**fields | {field: value})


def test_a_branch_comes_apart_into_hashes() -> None:
    assert split_branch(b"") == ()
    assert split_branch(b"\x01" * 32 + b"\x02" * 32) == (b"\x01" * 32, b"\x02" * 32)
    with pytest.raises(DecodeError, match="63 bytes: it must be whole hashes"):
        split_branch(bytes(63))
