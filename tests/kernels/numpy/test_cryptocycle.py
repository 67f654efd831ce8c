"""CryptoCycle on batches against the known answers and against protocol/cryptocycle.py."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.kernels.numpy import cryptocycle
from packetcrypt.kernels.numpy.cryptocycle import CryptoCycle, States, empty_states
from packetcrypt.protocol import cryptocycle as plain
from packetcrypt.protocol.primitives import h32

WHOLE = (0, plain.STATE_SIZE)
CASES = load_vectors("cryptocycle")["cases"]


@pytest.fixture(scope="module")
def cycle() -> CryptoCycle:
    return CryptoCycle()


def bytes_of_tag(tag: str, length: int) -> bytes:
    """The vectors' states and items (see the note in their file)."""
    return hashlib.shake_256(f"public1/{tag}".encode()).digest(length)


def states_of_tags(tags: list[str]) -> States:
    states = empty_states(len(tags))
    for row, tag in zip(states, tags, strict=True):
        row[:256] = np.frombuffer(bytes_of_tag(tag, plain.STATE_SIZE), np.uint64)
    cryptocycle.fuzz(states)
    return states


def bytes_of(states: States) -> list[bytes]:
    return [row[: plain.STATE_SIZE // 8].tobytes() for row in states]


def random_states(rng: np.random.Generator, count: int) -> States:
    states = empty_states(count)
    states[:, :256] = rng.integers(0, 2**64, (count, 256), np.uint64)
    cryptocycle.fuzz(states)
    return states


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["state_tag"])
def test_known_answers(case: dict[str, Any], cycle: CryptoCycle) -> None:
    states = states_of_tags([case["state_tag"]])
    item = np.frombuffer(bytes_of_tag(case["item_tag"], plain.ITEM_SIZE), np.uint64).reshape(1, -1)

    cycle.crypt(states, WHOLE)
    crypted = bytes_of(states)[0]
    cycle.update(states, item, np.array([0]), WHOLE)

    assert crypted[:48].hex() == case["crypt_first48"]
    assert h32(crypted).hex() == case["crypt"]
    assert h32(bytes_of(states)[0]).hex() == case["update"]


def test_known_answers_in_one_batch(cycle: CryptoCycle) -> None:
    states = states_of_tags([case["state_tag"] for case in CASES])
    items = b"".join(bytes_of_tag(case["item_tag"], plain.ITEM_SIZE) for case in CASES)
    table = np.frombuffer(items, np.uint64).reshape(len(CASES), -1)

    cycle.crypt(states, WHOLE)
    cycle.update(states, table, np.arange(len(CASES)), WHOLE)

    assert [h32(data).hex() for data in bytes_of(states)] == [case["update"] for case in CASES]


def test_init() -> None:
    states = empty_states(3)
    nonces = [0, 7, 2**24 - 1]
    cryptocycle.init(states, bytes(range(32)), np.array(nonces))
    assert bytes_of(states) == [bytes(plain.init(bytes(range(32)), nonce)) for nonce in nonces]


def test_item_numbers() -> None:
    states = random_states(np.random.default_rng(1), 20)
    expected = [plain.item_number(bytearray(data)) % 8192 for data in bytes_of(states)]
    assert cryptocycle.item_numbers(states, 8192).tolist() == expected


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([1, 2, 3, 40]))
def test_updates_of_random_states(cycle: CryptoCycle, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    states = random_states(rng, count)
    items = rng.integers(0, 2**64, (4, 128), np.uint64)
    expected = [bytearray(data) for data in bytes_of(states)]
    for _ in range(2):
        numbers = rng.integers(0, 4, count)
        cycle.update(states, items, numbers, WHOLE)
        for state, number in zip(expected, numbers, strict=True):
            plain.update(state, items[number].tobytes())
    assert bytes_of(states) == [bytes(state) for state in expected]


@pytest.mark.parametrize("visible", [(1056, 2048), (0, 1024), (0, 2048), (700, 701), (2040, 2048)])
def test_what_is_visible_is_right(cycle: CryptoCycle, visible: tuple[int, int]) -> None:
    states = random_states(np.random.default_rng(2), 300)
    expected = [bytearray(data) for data in bytes_of(states)]
    cycle.crypt(states, visible)
    for state, data in zip(expected, bytes_of(states), strict=True):
        plain.crypt(state)
        assert data[:48] == state[:48]
        assert data[slice(*visible)] == state[slice(*visible)]


def test_more_rows_than_one_slab(cycle: CryptoCycle) -> None:
    states = random_states(np.random.default_rng(3), 3000)
    one_by_one = states[::501].copy()
    cycle.crypt(states, WHOLE)
    for row in range(len(one_by_one)):
        cycle.crypt(one_by_one[row : row + 1], WHOLE)
    assert bytes_of(states[::501]) == bytes_of(one_by_one)


def test_checkpoint_ends_the_work() -> None:
    def checkpoint() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        CryptoCycle(checkpoint).crypt(random_states(np.random.default_rng(4), 2), WHOLE)
