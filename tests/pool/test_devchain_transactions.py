"""Transactions in Bitcoin's form: its first one, an example of BIP 143, and any other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.devchain_transactions import (
    NO_OUTPOINT,
    Input,
    Output,
    Transaction,
    double_sha256,
    read_transaction,
)
from packetcrypt.protocol.errors import DecodeError

GENESIS = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d"
    "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e2062"
    "72696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000"
    "434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f355"
    "04e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
GENESIS_ID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"

# BIP 143, "Native P2WPKH", the signed transaction: one input of it has a witness, one has none.
_INPUTS = (
    "02fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000049483045022100"
    "8b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2"
    "b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b"
    "309fe287d9b2b55d57b90ec68a0100000000ffffffff"
)
_OUTPUTS = (
    "02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"
    "9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac"
)
_WITNESS = (
    "000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c"
    "4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7a"
    "cafcdb3566bb0ad253f62fc70f07aeee6357"
)
BIP143 = bytes.fromhex("010000000001" + _INPUTS + _OUTPUTS + _WITNESS + "11000000")
BIP143_STRIPPED = bytes.fromhex("01000000" + _INPUTS + _OUTPUTS + "11000000")


def test_the_first_transaction_of_bitcoin() -> None:
    transaction, end = read_transaction(GENESIS, 0)
    assert end == len(GENESIS)
    assert [one.outpoint for one in transaction.inputs] == [NO_OUTPOINT]
    assert b"Chancellor on brink of second bailout" in transaction.inputs[0].script
    assert [one.value for one in transaction.outputs] == [50 * 10**8]
    assert transaction.encode() == transaction.encode_no_witness() == GENESIS
    assert transaction.id[::-1].hex() == GENESIS_ID


def test_a_transaction_with_a_witness() -> None:
    transaction, end = read_transaction(b"before" + BIP143 + b"after", len(b"before"))
    assert end == len(b"before" + BIP143)
    assert [[len(one) for one in spent.witness] for spent in transaction.inputs] == [[], [71, 33]]
    assert [spent.sequence for spent in transaction.inputs] == [0xFFFFFFEE, 0xFFFFFFFF]
    assert [paid.value for paid in transaction.outputs] == [112_340_000, 223_450_000]
    assert transaction.lock_time == 17
    assert transaction.encode() == BIP143


def test_the_witness_is_not_in_the_id() -> None:
    transaction, _ = read_transaction(BIP143, 0)
    assert transaction.encode_no_witness() == BIP143_STRIPPED
    assert transaction.id == double_sha256(BIP143_STRIPPED)


def _several(one: st.SearchStrategy[object], least: int) -> st.SearchStrategy[object]:
    return st.lists(one, min_size=least, max_size=3).map(tuple)


_U32 = st.integers(0, 2**32 - 1)
_SCRIPT = st.binary(max_size=300)
_INPUT = st.builds(Input, st.binary(min_size=36, max_size=36), _SCRIPT, _U32, _several(_SCRIPT, 0))
_TRANSACTION = st.builds(
    Transaction,
    _several(_INPUT, 1),
    _several(st.builds(Output, st.integers(0, 2**63 - 1), _SCRIPT), 0),
    _U32,
    _U32,
)


@given(_TRANSACTION)
def test_what_was_written_is_read(transaction: Transaction) -> None:
    encoded = transaction.encode()
    assert read_transaction(encoded, 0) == (transaction, len(encoded))


@given(st.integers(0, len(BIP143) - 1))
def test_a_transaction_that_is_cut_short_anywhere(size: int) -> None:
    with pytest.raises(DecodeError):
        read_transaction(BIP143[:size], 0)
