"""What a random program makes of an item (spec 1 §3.3)."""

import struct
from dataclasses import dataclass

from packetcrypt.protocol.cryptocycle import ITEM_SIZE, STATE_SIZE, crypt, fuzz, init
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.opcodes import (
    CLASS_OF,
    Opcode,
    has_immediate,
    immediate,
    jump_distance,
    memory_base,
    memory_carry,
    memory_step,
    opcode_of,
    reg_a,
    reg_b,
)
from packetcrypt.protocol.operations import OPERATIONS
from packetcrypt.protocol.primitives import expand
from packetcrypt.protocol.randgen import generate

MEMORY_WORDS = 2048
WINDOW_WORDS = 256
WINDOW_STARTS = MEMORY_WORDS - WINDOW_WORDS
"""The window of item number k starts at word k mod 1792."""

MAX_EXECUTED = 20000
"""Instruction words a pass may execute."""

_M32 = 0xFFFFFFFF


@dataclass(frozen=True)
class RandProgram:
    """A generated program with its memory.

    instructions : u32 words
    memory       : 2048 u32 words: keystream, its first words overwritten by the instructions
    """

    seed: bytes
    instructions: tuple[int, ...]
    memory: tuple[int, ...]

    @classmethod
    def generate(cls, seed: bytes) -> "RandProgram":
        """The program of a 32-byte seed. Raises `ProgramError` if it is too big."""
        return cls.of_instructions(seed, generate(seed))

    @classmethod
    def of_instructions(cls, seed: bytes, instructions: tuple[int, ...]) -> "RandProgram":
        """The given instructions over the memory of a 32-byte seed."""
        keystream = struct.unpack(f"<{MEMORY_WORDS}I", expand(seed, 0, 4 * MEMORY_WORDS))
        return cls(seed, instructions, instructions + keystream[len(instructions) :])


def item(number: int, items_seed: bytes, program: RandProgram) -> bytes:
    """The 1024 bytes of item `number` of the table of a program and a 32-byte items seed.

    Raises `ProgramError` if the program runs too long.
    """
    state = init(items_seed, number)
    words = struct.unpack(f"<{STATE_SIZE // 4}I", state)
    start = number % WINDOW_STARTS
    run = _Run(program.instructions, program.memory[start : start + WINDOW_WORDS])
    source, target = list(words[:256]), list(words[256:])
    run.execute(source, target)
    run.execute(target, source)
    state[:] = struct.pack(f"<{STATE_SIZE // 4}I", *source, *target)
    fuzz(state)
    crypt(state)
    return bytes(state[:ITEM_SIZE])


class _Run:
    """A program at work on one pair of input and output arrays of 256 words."""

    def __init__(self, instructions: tuple[int, ...], memory: tuple[int, ...]) -> None:
        self._instructions = instructions
        self._memory = memory
        self._registers: list[int] = []

    def execute(self, source: list[int], target: list[int]) -> None:
        """One pass: read words of `source`, add registers to words of `target`."""
        self._source, self._target = source, target
        self._cursor = 0
        self._executed = 0
        self._iteration = 0
        self._step(0)

    def _step(self, pc: int) -> int:
        """Execute the instruction at pc and return where to go on."""
        self._count()
        word = self._instructions[pc]
        opcode = opcode_of(word)
        if opcode in CLASS_OF:
            self._operate(opcode, word)
        elif opcode is Opcode.IN:
            self._registers.append(self._source[immediate(word) % 256])
        elif opcode is Opcode.MEMORY:
            offset = (self._iteration + memory_carry(word)) * memory_step(word)
            self._registers.append(self._memory[(memory_base(word) + offset) % WINDOW_WORDS])
        elif opcode is Opcode.LOOP:
            end = pc
            for iteration in range(immediate(word)):
                self._iteration = iteration
                end = self._scope(pc + 1)
            return end
        elif opcode in (Opcode.IF_LIKELY, Opcode.IF_RANDOM):
            mask = 7 if opcode is Opcode.IF_LIKELY else 1
            taken = self._registers[reg_a(word)] & mask
            return self._scope(pc + 2 if taken else pc + 1)
        elif opcode is Opcode.JMP:
            return pc + jump_distance(word) + 1
        else:
            raise ProgramError(f"instruction {pc} is invalid: {word:08x} ({opcode.name})")
        return pc + 1

    def _scope(self, pc: int) -> int:
        """Run a scope from its first instruction and return what follows its END."""
        mark = len(self._registers)
        self._registers.append(0)
        while opcode_of(self._instructions[pc]) is not Opcode.END:
            pc = self._step(pc)
        self._count()
        for register in self._registers[mark + 1 :]:
            self._target[self._cursor] = self._target[self._cursor] + register & _M32
            self._cursor = (self._cursor + 1) % len(self._target)
        del self._registers[mark:]
        return pc + 1

    def _count(self) -> None:
        """One more executed word, END included."""
        self._executed += 1
        if self._executed > MAX_EXECUTED:
            raise ProgramError(
                f"the program is too long: more than {MAX_EXECUTED} instructions executed "
                "in a pass; skip this job"
            )

    def _operate(self, opcode: Opcode, word: int) -> None:
        operands = CLASS_OF[opcode]
        wide = operands.inputs == 4
        a = self._operand(reg_a(word), wide)
        if has_immediate(word) and operands.inputs > 1:
            b = immediate(word) & (0xFFFFFFFFFFFFFFFF if wide else _M32)
        elif operands.inputs > 1:
            b = self._operand(reg_b(word), wide)
        else:
            b = 0
        self._registers += OPERATIONS[opcode](a, b)

    def _operand(self, register: int, wide: bool) -> int:
        if wide:
            return self._registers[register - 1] | self._registers[register] << 32
        return self._registers[register]
