"""When work and template make a block."""

from dataclasses import replace
from typing import Any

import pytest
from pktd_chain import PktdChain

from packetcrypt.handler.block_state import BlockState
from packetcrypt.protocol.errors import DecodeError

CHAIN = PktdChain()
WORK, TEMPLATE = CHAIN.work(), CHAIN.template()


def test_of_one_block() -> None:
    assert BlockState(WORK, TEMPLATE).work is WORK


def test_of_two_heights() -> None:
    with pytest.raises(DecodeError, match="work and block template are of different blocks"):
        BlockState(WORK, replace(TEMPLATE, height=WORK.height + 1))


def test_after_two_blocks() -> None:
    header = replace(TEMPLATE.header, previous_hash=bytes(31) + b"\x77")
    with pytest.raises(DecodeError, match="and at 1000006 after 7700000"):
        BlockState(WORK, replace(TEMPLATE, header=header))


def test_without_transactions() -> None:
    with pytest.raises(DecodeError, match="not even a coinbase"):
        BlockState(WORK, replace(TEMPLATE, transactions=()))


@pytest.mark.parametrize(
    "other", [{"coinbase_no_witness": b"coinbase"}, {"merkle_branch": (bytes(32),)}]
)
def test_of_two_sets_of_transactions(other: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="different coinbases or Merkle branches"):
        BlockState(WORK, replace(TEMPLATE, **other))


@pytest.mark.parametrize("of", ["work", "template"])
def test_without_a_place_for_the_commitment(of: str) -> None:
    work, template = WORK, TEMPLATE
    if of == "work":
        work = replace(WORK, coinbase_no_witness=b"coinbase")
        template = replace(TEMPLATE, coinbase_no_witness=b"coinbase")
    else:
        template = replace(TEMPLATE, transactions=(b"coinbase",))
    with pytest.raises(DecodeError, match="0 placeholders for a commitment"):
        BlockState(work, template)
