"""One multiplication against the two of the protocol (and of the original, tests/vectors)."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.kernels.numpy.cryptocycle import empty_states
from packetcrypt.kernels.numpy.scalar_multiplication import product, smul
from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.cryptocycle import ITEM_SIZE, STATE_SIZE
from packetcrypt.protocol.primitives import x25519, x25519_base

EDGES = [bytes(32), b"\xff" * 32, b"\x01" + bytes(31), bytes(31) + b"\x80", bytes(31) + b"\x7f"]

scalars = st.one_of(st.binary(min_size=32, max_size=32), st.sampled_from(EDGES))


@pytest.mark.parametrize("second", EDGES)
@pytest.mark.parametrize("first", EDGES)
def test_edges(first: bytes, second: bytes) -> None:
    assert product(first, second) == x25519(first, x25519_base(second))


@given(first=scalars, second=scalars)
def test_products(first: bytes, second: bytes) -> None:
    assert product(first, second) == x25519(first, x25519_base(second))


def test_all_remainders_of_the_scalar_are_met() -> None:
    """Either sign, and every multiple of the order, occurs among a few dozen scalars."""
    for first in range(0, 64 * 8, 8):
        scalar = first.to_bytes(32, "little")
        assert product(scalar, scalar) == x25519(scalar, x25519_base(scalar))


def test_rows_change_at_their_product_only() -> None:
    states = empty_states(3)
    words = np.random.default_rng(1).integers(0, 2**64, (3, 256), np.uint64)
    states[:, :256] = words

    smul(states)

    plain = [bytearray(row.tobytes()) for row in words]
    for state in plain:
        cryptocycle.smul(state)
    assert [row[:256].tobytes() for row in states] == plain
    assert not states[:, 256:].any()


def bytes_of_tag(tag: str, size: int) -> bytes:
    return hashlib.shake_256(f"public1/{tag}".encode()).digest(size)


@pytest.mark.parametrize("case", load_vectors("cryptocycle")["cases"], ids=lambda c: c["state_tag"])
def test_the_original_agrees(case: dict[str, Any]) -> None:
    """The keys are what crypt and update of the protocol make of the case."""
    state = bytearray(bytes_of_tag(case["state_tag"], STATE_SIZE))
    cryptocycle.fuzz(state)
    cryptocycle.crypt(state)
    cryptocycle.update(state, bytes_of_tag(case["item_tag"], ITEM_SIZE))
    assert product(state[:32], state[32:64]).hex() == case["smul64_96"]
