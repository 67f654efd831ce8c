"""Decoding of random programs: records, word counts, and what no generator makes."""

import pytest
from randhash_assembly import (
    END,
    branch,
    load_input,
    loop,
    memory,
    operation,
    operation_immediate,
    program,
)
from vector_files import load_vectors

from packetcrypt.kernels.program import MAX_DEPTH, RECORD_DTYPE, Operand, Scope, decode
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.opcodes import Opcode
from packetcrypt.protocol.randhash import RandProgram

SEEDS = [bytes.fromhex(p["seed"])[:32] for p in load_vectors("randhash")["programs"]]
JUMP = int(Opcode.JMP)


def fields(words: RandProgram, index: int, *names: str) -> tuple[int, ...]:
    return tuple(int(decode(words).records[index][name]) for name in names)


def test_a_record_has_the_size_that_kernels_read() -> None:
    assert RECORD_DTYPE.itemsize == 32


def test_operands_are_slots_of_their_low_words() -> None:
    words = program(
        loop(1),  # MARK in slot 0
        load_input(259),
        load_input(4),
        operation(Opcode.ADD64, 2, 2),
        operation_immediate(Opcode.SUB32, 3, -2),
    )
    decoded = decode(words)
    assert decoded.slots == 6
    assert decoded.longest_end == 5
    assert fields(words, 1, "output", "immediate") == (1, 3)
    assert fields(words, 3, "variant", "output", "length", "a", "b") == (
        Operand.REGISTER,
        3,
        2,
        1,
        1,
    )
    assert fields(words, 4, "variant", "output", "length", "a") == (Operand.IMMEDIATE, 5, 1, 3)
    assert fields(words, 4, "immediate") == (2**64 - 2,)


def test_loops_know_their_ends_and_iterations() -> None:
    words = program(loop(3), memory(base=250, step=3, carry=5), loop(2), load_input(0), END)
    assert fields(words, 0, "immediate", "target") == (3, 5)
    assert fields(words, 1, "output", "immediate") == (1, (250 + 15) % 256 | 3 << 32)
    assert fields(words, 4, "variant", "output", "length", "target") == (Scope.LOOP, 3, 1, 3)
    assert fields(words, 5, "output", "length", "target") == (1, 1, 1)


def test_arms_know_each_other() -> None:
    arms = branch(Opcode.IF_LIKELY, 1, [load_input(1), load_input(2)], [load_input(3)])
    words = program(loop(1), load_input(0), *arms)
    assert fields(words, 2, "a", "output", "target", "immediate") == (1, 2, 8, 7)
    assert fields(words, 3, "variant", "target") == (Scope.THEN, 8)
    assert fields(words, 6, "variant", "output", "length") == (Scope.THEN, 3, 2)
    assert fields(words, 7, "variant", "target") == (Scope.ELSE, 10)
    assert fields(words, 9, "variant", "output", "length") == (Scope.ELSE, 3, 1)
    # 2 INs, END, JMP; JMP, IN, END
    assert fields(words, 2, "then_words", "else_words") == (4, 3)


def test_executed_words_are_counted_along_the_paths() -> None:
    inner = branch(Opcode.IF_RANDOM, 1, [load_input(0)] * 9, [])
    outer = branch(Opcode.IF_LIKELY, 1, [loop(4), *inner, END], [load_input(0)] * 20)
    decoded = decode(program(loop(10), load_input(0), *outer))
    # LOOP; ten times IN, IF and END
    assert decoded.common_words == 1 + 10 * 3
    # the arm: LOOP, four times IF and END, its END and JMP
    assert int(decoded.records[2]["then_words"]) == 1 + 4 * 2 + 2
    # the longest way goes through the inner THEN arm of 9 INs, END and JMP
    assert decoded.longest_path == 1 + 10 * (3 + 1 + 4 * (2 + 11) + 2)
    assert not decoded.may_run_too_long


def test_a_path_over_the_limit_is_noticed() -> None:
    arms = branch(Opcode.IF_RANDOM, 1, [load_input(0)] * 8, [])
    assert not decode(program(loop(1500), load_input(0), *arms)).may_run_too_long
    assert decode(program(loop(1600), load_input(0), *arms)).may_run_too_long


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.hex()[:8])
def test_generated_programs_decode(seed: bytes) -> None:
    words = RandProgram.generate(seed)
    decoded = decode(words)
    assert len(decoded.records) == len(words.instructions)
    assert decoded.memory.tolist() == list(words.memory)
    assert 0 < decoded.common_words <= decoded.longest_path
    assert decoded.depth <= MAX_DEPTH


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "not one LOOP"),
        ((load_input(0), END), "not one LOOP"),
        ((loop(2), load_input(0)), "not one LOOP"),
        ((loop(2), END, END), "not one LOOP"),
        ((loop(2), END, loop(2), END), "not one LOOP"),
        ((loop(0), END), "LOOP of 0 iterations"),
        ((loop(1), operation(Opcode.ADD32, 1, 1), END), "operand 1 is not an open register"),
        ((loop(1), load_input(0), operation(Opcode.ADD32, 0, 1), END), "operand 0 is not"),
        ((loop(1), load_input(0), operation(Opcode.ADD64, 1, 1), END), "operand 1 is not"),
        ((loop(1), load_input(0), memory(0), END), "not at the head of a loop"),
        ((loop(1), JUMP, END), "JMP out of place"),
        ((loop(1), int(Opcode.INVALID_ZERO), END), "INVALID_ZERO out of place"),
        ((loop(1), 0xFF, END), "INVALID_BIG out of place"),
        ((loop(1), load_input(0), operation(Opcode.IF_LIKELY, 1), END), "without the two JMPs"),
        (
            (loop(1), load_input(0), operation(Opcode.IF_LIKELY, 1), 2 << 8 | JUMP, END, END, END),
            "without the two JMPs",
        ),
        (
            (
                *(loop(1), load_input(0)),
                *(operation(Opcode.IF_LIKELY, 1), 2 << 8 | JUMP, END, 2 << 8 | JUMP, END, END),
            ),
            "not end where the THEN arm jumps to",
        ),
        ((*[loop(1)] * (MAX_DEPTH + 1), *[END] * (MAX_DEPTH + 1)), "scopes are open"),
    ],
)
def test_what_the_generator_does_not_make_is_refused(words: tuple[int, ...], message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        decode(RandProgram.of_instructions(bytes(32), words))
