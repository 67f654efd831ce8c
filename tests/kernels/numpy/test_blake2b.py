"""BLAKE2b digests against hashlib."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packetcrypt.kernels.numpy.blake2b import Blake2b


@pytest.mark.parametrize("digest_size", [8, 32, 64])
@pytest.mark.parametrize("size", [128, 256, 1024, 2048])
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_digests(size: int, digest_size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    messages = rng.integers(0, 2**64, (3, size // 8), np.uint64)

    digests = Blake2b(3).digests(messages, digest_size)

    assert [column.tobytes() for column in digests.T] == [
        hashlib.blake2b(message.tobytes(), digest_size=digest_size).digest() for message in messages
    ]


@pytest.mark.parametrize("size", [1, 96, 128, 129, 200])
def test_messages_that_do_not_fill_their_last_block(size: int) -> None:
    messages = np.zeros((5, 8 * 16 * (-(-size // 128))), np.uint8)
    messages[:, :size] = np.random.default_rng(size).integers(0, 256, (5, size), np.uint8)

    digests = Blake2b(5).digests(messages.view(np.uint64), 32, size)

    assert [column.tobytes() for column in digests.T] == [
        hashlib.blake2b(message[:size].tobytes(), digest_size=32).digest() for message in messages
    ]


def test_more_messages_than_fit_at_once() -> None:
    messages = np.arange(11 * 16, dtype=np.uint64).reshape(11, 16)
    assert (Blake2b(4).digests(messages, 32) == Blake2b(11).digests(messages, 32)).all()


def test_no_messages() -> None:
    assert Blake2b(4).digests(np.empty((0, 16), np.uint64), 32).shape == (4, 0)


def test_rows_with_spare_words() -> None:
    rows = np.arange(5 * 40, dtype=np.uint64).reshape(5, 40)
    packed = np.ascontiguousarray(rows[:, 3:35])
    assert (Blake2b(5).digests(rows[:, 3:35], 64) == Blake2b(5).digests(packed, 64)).all()


def test_checkpoint_ends_the_work() -> None:
    def checkpoint() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Blake2b(4, checkpoint).digests(np.zeros((4, 16), np.uint64), 32)
