"""CryptoCycle of a group in OpenCL against its plain twins, for every group size."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.primitives import chacha20_keystream

Bytes = npt.NDArray[np.uint8]

#: Space around the rows that the kernels may read (before) and rewrite unchanged (behind).
MARGIN = 2112
STRIDE = 2112


class Primitives:
    """The functions under test on one device, for groups of `group` lanes."""

    def __init__(self, device: cl.Device, group: int) -> None:
        self.group = group
        lanes = 1 if group == 1 else 16
        self._context = DeviceContext(device, lanes=lanes)
        source = (Path(__file__).parent / "primitives_test.cl").read_text()
        self._program = self._context.build_source(source, "primitives_test.cl", GROUP=group)

    def run(self, kernel: str, *arguments: Bytes | npt.NDArray[np.uint32] | int) -> list[Bytes]:
        """Run `kernel` once; arrays become buffers. Returns all of them as the kernel left them."""
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
        arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        buffers = [cl.Buffer(self._context.context, flags, hostbuf=a) for a in arrays]
        remaining = iter(buffers)
        passed = [next(remaining) if isinstance(a, np.ndarray) else np.uint32(a) for a in arguments]
        queue = self._context.queue
        cl.Kernel(self._program, kernel)(queue, (1,), (1,), *passed)
        results = [np.empty_like(a) for a in arrays]
        for result, buffer in zip(results, buffers, strict=True):
            cl.enqueue_copy(queue, result, buffer)
        return results

    def spread(self, rows: Sequence[bytes], size: int) -> Bytes:
        """Rows of `size` bytes, STRIDE apart with random bytes around; short lists are repeated."""
        memory = np.random.default_rng(1).integers(
            0, 256, MARGIN + STRIDE * self.group + MARGIN, dtype=np.uint8
        )
        for lane in range(self.group):
            at = MARGIN + STRIDE * lane
            row = rows[lane % len(rows)]
            assert len(row) == size
            memory[at : at + size] = np.frombuffer(row, np.uint8)
        return memory


@pytest.fixture(scope="module", params=[1, 8, 16], ids=lambda group: f"group{group}")
def primitives(request: pytest.FixtureRequest) -> Primitives:
    device = cl.get_platforms()[0].get_devices()[0]
    return Primitives(device, request.param)


def row(memory: Bytes, lane: int, size: int) -> bytes:
    at = MARGIN + STRIDE * lane
    return memory[at : at + size].tobytes()


def random_bytes(seed: object, size: int) -> bytes:
    return hashlib.shake_256(repr(seed).encode()).digest(size)


def test_transposes_undo_each_other(primitives: Primitives) -> None:
    rows = np.zeros((primitives.group, 128), np.uint8)
    rows[:, :64] = np.arange(primitives.group * 64).reshape(-1, 64) % 251

    (result,) = primitives.run("transposes", rows, 128)

    np.testing.assert_array_equal(result[:, 64:], rows[:, :64])


@pytest.mark.parametrize("word", range(16))
def test_a_vector_has_the_same_word_of_every_row(primitives: Primitives, word: int) -> None:
    rows = np.random.default_rng(word).integers(0, 256, (primitives.group, 64), dtype=np.uint8)
    out = np.zeros(primitives.group, np.uint32)

    _, result = primitives.run("lane_words", rows, 64, word, out)

    np.testing.assert_array_equal(result, rows.view("<u4")[:, word])


LENGTHS = [125, 1, 32, 33, 63, 64, 96, 97, 118, 119, 2, 3, 4, 5, 124, 99]


@pytest.mark.parametrize("first", [0, 14])
@pytest.mark.parametrize("rotation", [0, 5])
def test_chacha20_ciphers_messages_of_different_lengths(
    primitives: Primitives, first: int, rotation: int
) -> None:
    lanes = range(primitives.group)
    units = np.array([LENGTHS[(lane + rotation) % 16] for lane in lanes], np.uint32)
    keys = [random_bytes(("key", lane), 64) for lane in lanes]
    memory = primitives.spread([random_bytes(lane, 2048) for lane in lanes], 2048)
    key_rows = np.frombuffer(b"".join(keys), np.uint8)

    *_, result = primitives.run("chacha20_messages", key_rows, units, first, memory, MARGIN, STRIDE)

    expected = memory.copy()
    for lane in lanes:
        begin, end = 64 * first, 16 * int(units[lane])
        if begin >= end:
            continue
        stream = chacha20_keystream(keys[lane][:32], keys[lane][32:44], 1 + first, end - begin)
        at = MARGIN + STRIDE * lane
        expected[at + begin : at + end] ^= np.frombuffer(stream, np.uint8)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("digest_size", [32, 64])
@pytest.mark.parametrize("length", [128, 1024, 2048])
def test_blake2b_hashes_rows(primitives: Primitives, length: int, digest_size: int) -> None:
    rows = [random_bytes(lane, length) for lane in range(primitives.group)]
    digests = np.zeros((primitives.group, 64), np.uint8)

    _, result = primitives.run(
        "hashes", np.frombuffer(b"".join(rows), np.uint8), length, length, digest_size, digests
    )

    expected = [hashlib.blake2b(row, digest_size=digest_size).digest() for row in rows]
    assert [digest[:digest_size].tobytes() for digest in result] == expected


def update_group(
    primitives: Primitives, states: Sequence[bytes], items: Sequence[bytes], wanted: int
) -> tuple[list[bytes], list[int]]:
    """Updated states of one decrypt class; short lists are repeated to fill the group."""
    memory = primitives.spread(states, 2048)
    filled = b"".join(items[lane % len(items)] for lane in range(primitives.group))
    words = np.zeros(primitives.group, np.uint32)

    result, _, words = primitives.run(
        "updates", memory, MARGIN, STRIDE, np.frombuffer(filled, np.uint8), wanted, words
    )

    for lane in range(primitives.group + 1):  # what lies between and around the states
        gap = slice(STRIDE * lane + 2048, MARGIN + STRIDE * lane)
        np.testing.assert_array_equal(result[gap], memory[gap])
    count = len(states)
    return [row(result, lane, 2048) for lane in range(count)], [int(w) for w in words[:count]]


def expected_update(state: bytes, item: bytes) -> bytes:
    changed = bytearray(state)
    cryptocycle.update(changed, item)
    return bytes(changed)


def bytes_of_tag(tag: str, size: int) -> bytes:
    """The vectors' way to make inputs (their `note`)."""
    return hashlib.shake_256(f"public1/{tag}".encode()).digest(size)


VECTORS = load_vectors("cryptocycle")["cases"]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["state_tag"])
def test_update_gives_the_known_states(primitives: Primitives, case: dict[str, str]) -> None:
    """The vectors' update starts from the encrypted state; 48 bytes of that are given."""
    state = bytearray(bytes_of_tag(case["state_tag"], 2048))
    item = bytes_of_tag(case["item_tag"], 1024)
    cryptocycle.fuzz(state)
    cryptocycle.crypt(state)
    assert state[:48].hex() == case["crypt_first48"]

    (result,), _ = update_group(primitives, [bytes(state)], [item], 0)

    assert hashlib.blake2b(result, digest_size=32).hexdigest() == case["update"]


def with_class(state: bytes, decrypt: bool) -> bytes:
    changed = bytearray(state)
    changed[17] = changed[17] & ~0x10 | decrypt << 4
    return bytes(changed)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**64), decrypt=st.booleans(), partial=st.booleans())
def test_update_of_random_states_equals_the_plain_one(
    primitives: Primitives, seed: int, decrypt: bool, partial: bool
) -> None:
    lanes = range(primitives.group)
    states = [with_class(random_bytes((seed, lane), 2048), decrypt) for lane in lanes]
    items = [random_bytes((seed, "item", lane), 1024) for lane in lanes]
    first_right = 1056 if partial else 0

    results, words = update_group(primitives, states, items, first_right)

    expected = [expected_update(*pair) for pair in zip(states, items, strict=True)]
    assert [r[:32] for r in results] == [e[:32] for e in expected]
    assert [r[first_right:] for r in results] == [e[first_right:] for e in expected]
    assert words == [int.from_bytes(e[16:20], "little") for e in expected]


@pytest.mark.parametrize("decrypt", [False, True])
@pytest.mark.parametrize("length", [0, 31, 63, 93, 94, 127])
@pytest.mark.parametrize("additional", [0, 7])
def test_update_at_the_ends_of_the_control_fields(
    primitives: Primitives, decrypt: bool, length: int, additional: int
) -> None:
    """Lanes differ in azc and tzc (0 and 15), so that both subtractions wrap somewhere."""
    lanes = range(primitives.group)
    states = []
    for lane in lanes:
        state = bytearray(random_bytes(("ends", lane), 2048))
        zeros = 15 * (lane & 1) | 15 * (lane >> 1 & 1) << 8
        word = zeros | decrypt << 12 | additional << 13 | length << 17 | 0xFF << 24
        state[16:20] = word.to_bytes(4, "little")
        states.append(bytes(state))
    items = [random_bytes(("ends item", lane), 1024) for lane in lanes]

    results, _ = update_group(primitives, states, items, 0)

    assert results == [expected_update(*pair) for pair in zip(states, items, strict=True)]
