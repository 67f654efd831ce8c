"""ChaCha20 blocks against RFC 8439 and against `cryptography`."""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from packetcrypt.kernels.numpy.chacha20 import INPUT_WORDS, ChaCha20
from packetcrypt.protocol.primitives import chacha20_keystream

KEY, COUNTER, NONCE = slice(0, 8), 8, slice(9, 12)


def test_block_of_rfc_8439() -> None:
    """Section 2.3.2."""
    chacha = ChaCha20(1)
    nonce = bytes.fromhex("000000090000004a00000000")
    words = struct.unpack("<12I", bytes(range(32)) + struct.pack("<I", 1) + nonce)
    chacha.inputs(1)[:, 0] = words
    block = np.empty((16, 1), np.uint32)

    chacha.run(block)

    assert block.tobytes().hex() == (
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    )


@given(st.integers(1, 5).flatmap(lambda n: arrays(np.uint32, (INPUT_WORDS, n))))
def test_blocks_of_random_inputs(inputs: np.ndarray) -> None:
    chacha = ChaCha20(5)
    count = inputs.shape[1]
    chacha.inputs(count)[:] = inputs
    block_major = np.empty((count, 16), np.uint32)

    chacha.run(block_major.T)

    assert [block.tobytes() for block in block_major] == [
        chacha20_keystream(column[KEY].tobytes(), column[NONCE].tobytes(), int(column[COUNTER]), 64)
        for column in inputs.T
    ]


def test_only_the_first_words() -> None:
    inputs = np.arange(24, dtype=np.uint32).reshape(INPUT_WORDS, 2)
    chacha = ChaCha20(2)
    whole, first = np.empty((16, 2), np.uint32), np.empty((6, 2), np.uint32)
    for out in (whole, first):
        chacha.inputs(2)[:] = inputs
        chacha.run(out)
    assert (first == whole[:6]).all()
