"""How the tests write RandHash programs by hand (spec 1 §3.1)."""

from packetcrypt.protocol.opcodes import Opcode
from packetcrypt.protocol.primitives import expand
from packetcrypt.protocol.randhash import MEMORY_WORDS, RandProgram

END = int(Opcode.END)


def operation(opcode: Opcode, a: int, b: int = 0) -> int:
    """`opcode` of registers a and b."""
    return b << 20 | a << 9 | opcode


def operation_immediate(opcode: Opcode, a: int, value: int) -> int:
    """`opcode` of register a and a signed 12-bit immediate."""
    return (value & 0xFFF) << 20 | 1 << 18 | a << 9 | opcode


def operation_pattern(opcode: Opcode, a: int, pattern: int) -> int:
    """`opcode` of register a and the immediate that a 12-bit pattern stands for."""
    return pattern << 20 | 1 << 19 | 1 << 18 | a << 9 | opcode


def loop(count: int) -> int:
    return count << 20 | Opcode.LOOP


def memory(base: int, step: int = 0, carry: int = 0) -> int:
    return base << 17 | step << 13 | carry << 9 | Opcode.MEMORY


def load_input(index: int) -> int:
    return index << 20 | Opcode.IN


def branch(opcode: Opcode, condition: int, then: list[int], otherwise: list[int]) -> list[int]:
    """An IF on register `condition` with two arms, given without their ENDs."""
    skip_then = (len(then) + 2) << 8 | Opcode.JMP
    skip_otherwise = (len(otherwise) + 1) << 8 | Opcode.JMP
    if_word = 2 << 20 | condition << 9 | opcode
    return [if_word, skip_then, *then, END, skip_otherwise, *otherwise, END]


def program(*words: int, memory_words: tuple[int, ...] | None = None) -> RandProgram:
    """The program of these words and an END, over the given memory or that of a zero seed."""
    instructions = (*words, END)
    if memory_words is None:
        return RandProgram.of_instructions(bytes(32), instructions)
    assert len(memory_words) == MEMORY_WORDS
    return RandProgram(expand(bytes(32), 1, 32), instructions, memory_words)
