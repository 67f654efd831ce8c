"""Block hashes against blocks.json."""

from typing import Any

import pytest
from vector_files import load_vectors

from packetcrypt.protocol.block_hash import BlockHash, block_work_hash, hash_of_four

BLOCKS = load_vectors("blocks")


def _name(case: dict[str, Any]) -> str:
    return f"{case['result']}/{case['work_hash'][:8]}"


@pytest.fixture(params=BLOCKS, ids=_name)
def block(request: pytest.FixtureRequest) -> dict[str, Any]:
    case: dict[str, Any] = request.param
    return case


def _hash(block: dict[str, Any]) -> BlockHash:
    announcements = list(map(bytes.fromhex, block["anns"]))
    return hash_of_four(bytes.fromhex(block["header"]), block["nonce2"], announcements)


def test_known_hashes(block: dict[str, Any]) -> None:
    assert _hash(block).work_hash.hex() == block["work_hash"]


def test_item_numbers_are_indexes_modulo_the_count(block: dict[str, Any]) -> None:
    numbers = _hash(block).item_numbers
    assert [number % block["ann_count"] for number in numbers] == block["ann_indexes"]


def test_announcements_are_asked_for_by_number(block: dict[str, Any]) -> None:
    """As a miner does: the number is known only when the hash has come that far."""
    by_index = dict(zip(block["ann_indexes"], map(bytes.fromhex, block["anns"]), strict=True))
    mined = block_work_hash(
        bytes.fromhex(block["header"]),
        block["nonce2"],
        lambda number: by_index[number % block["ann_count"]],
    )
    assert mined == _hash(block)


@pytest.mark.parametrize("change", ["header", "low nonce", "announcement"])
def test_everything_given_is_hashed(change: str) -> None:
    block = BLOCKS[0]
    header, announcements = (
        bytearray.fromhex(block["header"]),
        list(map(bytes.fromhex, block["anns"])),
    )
    low_nonce = block["nonce2"]
    if change == "header":
        header[79] ^= 1
    elif change == "low nonce":
        low_nonce += 1
    else:
        announcements[3] = announcements[3][:-1] + bytes([announcements[3][-1] ^ 1])
    assert hash_of_four(bytes(header), low_nonce, announcements).work_hash != _hash(block).work_hash
