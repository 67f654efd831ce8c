"""Items of a batch against the known answers and against protocol/randhash.py."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.kernels.numpy.cryptocycle import CryptoCycle
from packetcrypt.kernels.numpy.randhash import items
from packetcrypt.kernels.program import decode
from packetcrypt.protocol import randhash as plain
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.opcodes import Opcode
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.randhash import RandProgram


@pytest.fixture(scope="module")
def cycle() -> CryptoCycle:
    return CryptoCycle()


@pytest.mark.parametrize("case", load_vectors("randhash")["programs"], ids=lambda c: c["seed"][:8])
def test_known_answers(case: dict[str, Any], cycle: CryptoCycle) -> None:
    seed = bytes.fromhex(case["seed"])
    program = decode(RandProgram.generate(seed[:32]))
    numbers = np.array([int(number) for number in case["items"]])

    made, too_long = items(program, seed[32:], numbers, cycle)

    assert [h32(item.tobytes()).hex() for item in made] == list(case["items"].values())
    assert not too_long.any()


@settings(max_examples=8, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 8191 - 16))
def test_random_programs(cycle: CryptoCycle, seed: bytes, first: int) -> None:
    program = RandProgram.generate(seed)
    numbers = np.arange(first, first + 16)
    made, too_long = items(decode(program), seed, numbers, cycle)
    assert not too_long.any()
    for row in random.Random(seed).sample(range(16), 3):
        assert made[row].tobytes() == plain.item(first + row, seed, program)


#: In each of 8 iterations a word of memory chooses between executing 4003 words and 3.
SOMETIMES_TOO_LONG = (
    8 << 20 | Opcode.LOOP,
    100 << 17 | 1 << 13 | Opcode.MEMORY,
    2 << 20 | 1 << 9 | Opcode.IF_RANDOM,
    5 << 8 | Opcode.JMP,
    2000 << 20 | Opcode.LOOP,
    1 << 9 | Opcode.POPCNT8,
    int(Opcode.END),
    int(Opcode.END),
    2 << 8 | Opcode.JMP,
    1 << 9 | Opcode.POPCNT8,
    int(Opcode.END),
    int(Opcode.END),
)


def test_items_that_run_too_long_are_told_from_others(cycle: CryptoCycle) -> None:
    program = RandProgram.of_instructions(bytes(32), SOMETIMES_TOO_LONG)
    numbers = np.arange(5) * 137

    made, too_long = items(decode(program), bytes(32), numbers, cycle)

    assert 0 < too_long.sum() < len(numbers)
    for number in numbers[too_long].tolist():
        with pytest.raises(ProgramError, match="too long"):
            plain.item(number, bytes(32), program)
    for number, item in zip(numbers[~too_long].tolist(), made[~too_long], strict=True):
        assert item.tobytes() == plain.item(number, bytes(32), program)
