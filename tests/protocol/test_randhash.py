"""RandGen and RandHash against randhash.json, and the limits that no vector meets."""

from typing import Any

import pytest
from vector_files import load_vectors

from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.opcodes import Opcode
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.randgen import generate
from packetcrypt.protocol.randhash import RandProgram, item

PROGRAMS = load_vectors("randhash")["programs"]
ITEMS = [
    pytest.param(program["seed"], int(number), digest, id=f"{program['seed'][:8]}/{number}")
    for program in PROGRAMS
    for number, digest in program["items"].items()
]

_THIRTY_TIMES = 30 << 20 | Opcode.LOOP
LOOP_FOREVER = (_THIRTY_TIMES, _THIRTY_TIMES, _THIRTY_TIMES, Opcode.IN, *[Opcode.END] * 3)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p["seed"][:8])
def test_generated_programs(program: dict[str, Any]) -> None:
    words = generate(bytes.fromhex(program["seed"])[:32])
    assert len(words) == program["length"]
    encoded = b"".join(word.to_bytes(4, "little") for word in words)
    assert h32(encoded).hex() == program["program_blake2b_256"]


@pytest.mark.parametrize(("seed", "number", "digest"), ITEMS)
def test_items(seed: str, number: int, digest: str) -> None:
    seeds = bytes.fromhex(seed)
    program = RandProgram.generate(seeds[:32])
    assert h32(item(number, seeds[32:], program)).hex() == digest


def test_a_program_that_runs_too_long_is_an_error() -> None:
    program = RandProgram.of_instructions(bytes(32), LOOP_FOREVER)
    with pytest.raises(ProgramError, match="more than 20000 instructions"):
        item(0, bytes(32), program)


@pytest.mark.parametrize("opcode", [Opcode.INVALID_ZERO, Opcode.INVALID_BIG])
def test_an_invalid_instruction_is_an_error(opcode: Opcode) -> None:
    code = (1 << 20 | Opcode.LOOP, int(opcode), int(Opcode.END))
    with pytest.raises(ProgramError, match=opcode.name):
        item(0, bytes(32), RandProgram.of_instructions(bytes(32), code))
