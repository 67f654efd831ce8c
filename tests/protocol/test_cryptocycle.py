"""CryptoCycle against cryptocycle.json: crypt, update, smul and final in sequence."""

import hashlib
from typing import Any

import pytest
from vector_files import load_vectors

from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.primitives import h32


def _bytes_of_tag(tag: str, length: int) -> bytes:
    return hashlib.shake_256(f"public1/{tag}".encode()).digest(length)


@pytest.mark.parametrize(
    "case", load_vectors("cryptocycle")["cases"], ids=lambda c: str(c["state_tag"])
)
def test_known_answers(case: dict[str, Any]) -> None:
    state = bytearray(_bytes_of_tag(case["state_tag"], cryptocycle.STATE_SIZE))
    cryptocycle.fuzz(state)
    control = cryptocycle.Control.of(state)
    assert control.decrypt == bool(case["decrypt"])
    assert control.additional_blocks == case["add_len"]

    cryptocycle.crypt(state)
    assert state[:48].hex() == case["crypt_first48"]
    assert h32(state).hex() == case["crypt"]

    cryptocycle.update(state, _bytes_of_tag(case["item_tag"], cryptocycle.ITEM_SIZE))
    assert h32(state).hex() == case["update"]

    cryptocycle.smul(state)
    assert state[64:96].hex() == case["smul64_96"]

    cryptocycle.final(state)
    assert state[:32].hex() == case["final32"]


def test_the_initial_state_depends_on_the_nonce_only_in_its_first_eight_bytes() -> None:
    seed = bytes(range(32))
    one, other = cryptocycle.init(seed, 1), cryptocycle.init(seed, 0xFFFFFF)
    assert one[:8] == (1).to_bytes(8, "little")
    assert other[:8] == (0xFFFFFF).to_bytes(8, "little")
    assert one[8:] == other[8:]
