"""How a batch of items is made by interpreting their random program for all of them (spec 1 §3.3).

The registers of all items lie together, so that one NumPy call executes an instruction for each of
them. Where the program branches, both arms are executed for all items, because operations have no
effects but on registers of the arm; only what an arm outputs is for the items that take it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.cryptocycle import (
    CryptoCycle,
    empty_states,
    fuzz,
    init,
)
from packetcrypt.kernels.numpy.operations import OPERATIONS
from packetcrypt.kernels.numpy.outputs import OUTPUT_WORDS, Outputs, U32s
from packetcrypt.kernels.program import DecodedProgram, Operand
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.opcodes import CLASS_OF, Opcode
from packetcrypt.protocol.randhash import MAX_EXECUTED, WINDOW_STARTS, WINDOW_WORDS

_ITEM_WORDS = ITEM_SIZE // 8
_LAST_OPERATION = max(CLASS_OF)


def items(
    program: DecodedProgram,
    seed: bytes,
    numbers: npt.NDArray[np.intp],
    cycle: CryptoCycle,
    checkpoint: Callable[[], None] = lambda: None,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Items of the table of a program and a 32-byte items seed.

    Returns (n, 128) uint64, and (n,) bool: the items during which the program runs too long, whose
    bytes mean nothing. numbers : (n,) below 2^32
    checkpoint : called every few milliseconds; the exception that it raises ends the work
    """
    states = empty_states(len(numbers))
    init(states, seed, numbers)
    windows = numbers % WINDOW_STARTS + np.arange(WINDOW_WORDS)[:, None]
    run = _Run(program, program.memory[windows], checkpoint)
    words = states.view(np.uint32)
    source, target = words[:, :OUTPUT_WORDS], words[:, OUTPUT_WORDS : 2 * OUTPUT_WORDS]
    target[:] = run.execute(source, target)
    source[:] = run.execute(target, source)
    fuzz(states)
    cycle.crypt(states, (0, ITEM_SIZE))
    return states[:, :_ITEM_WORDS], run.too_long


class _Instruction(NamedTuple):
    """A record of the program in Python's numbers; see `RECORD_DTYPE`."""

    opcode: int
    variant: int
    output: int
    length: int
    a: int
    b: int
    target: int
    immediate: int
    then_words: int
    else_words: int


class _Run:
    """A program at work on n items.

    memory : (256, n) uint32, the items' memory windows, word by word
    """

    def __init__(
        self, program: DecodedProgram, memory: U32s, checkpoint: Callable[[], None]
    ) -> None:
        self._program = program
        self._instructions = [_Instruction(*record) for record in program.records.tolist()]
        self._memory = memory
        self._checkpoint = checkpoint
        self._count = memory.shape[1]
        self._registers: list[U32s] = [memory[0]] * program.slots
        self._immediates: dict[int, npt.NDArray[Any]] = {}
        self._iteration = 0
        #: (n,) bool: items that executed too many words in a pass
        self.too_long = np.zeros(self._count, np.bool_)

    def execute(self, source: U32s, target: U32s) -> U32s:
        """One pass: (n, 256) inputs and outputs; returns the new outputs, (n, 256)."""
        self._source = np.ascontiguousarray(source.T)
        self._outputs = Outputs(target)
        self._executed = np.full(self._count, self._program.common_words)
        self._step(0)
        self.too_long |= self._executed > MAX_EXECUTED
        return self._outputs.result()

    def _step(self, pc: int) -> int:
        """Execute the instruction at pc and return where to go on."""
        instruction = self._instructions[pc]
        opcode = instruction.opcode
        if opcode <= _LAST_OPERATION:
            self._operate(pc, instruction)
        elif opcode == Opcode.IN:
            self._registers[instruction.output] = self._source[instruction.immediate]
        elif opcode == Opcode.MEMORY:
            first, step = instruction.immediate & 0xFFFFFFFF, instruction.immediate >> 32
            index = (first + self._iteration * step) % WINDOW_WORDS
            self._registers[instruction.output] = self._memory[index]
        elif opcode == Opcode.LOOP:
            for iteration in range(instruction.immediate):
                self._iteration = iteration
                self._scope(pc + 1)
            return instruction.target + 1
        else:
            return self._branch(pc, instruction)
        return pc + 1

    def _scope(self, pc: int) -> int:
        """Execute a scope from its first instruction to its END and return what follows that."""
        while self._instructions[pc].opcode != Opcode.END:
            pc = self._step(pc)
        end = self._instructions[pc]
        self._outputs.add(self._registers[end.output : end.output + end.length])
        self._checkpoint()
        return pc + 1

    def _branch(self, pc: int, instruction: _Instruction) -> int:
        """Execute both arms of an IF, each for the items that take it."""
        lanes = self._outputs.lanes
        condition = self._registers[instruction.a][lanes] & np.uint32(instruction.immediate)
        taken = condition.astype(np.bool_)
        self._executed[lanes] += np.where(taken, instruction.then_words, instruction.else_words)
        self._outputs.select(lanes[taken])
        self._scope(pc + 2)
        self._outputs.select(lanes[~taken])
        end = self._scope(instruction.target)
        self._outputs.select(lanes)
        return end

    def _operate(self, pc: int, instruction: _Instruction) -> None:
        opcode = Opcode(instruction.opcode)
        operands = CLASS_OF[opcode]
        wide = operands.inputs == 4
        a = self._operand(instruction.a, wide)
        if instruction.variant == Operand.IMMEDIATE:
            b = self._immediate(pc, instruction, wide)
        else:
            b = self._operand(instruction.b, wide)
        results = OPERATIONS[opcode](a, b)
        if operands.outputs == 1:
            self._registers[instruction.output] = results
            return
        halves = results.view(np.uint32).reshape(-1, self._count, 2)
        for word in range(operands.outputs):
            register = np.ascontiguousarray(halves[word // 2, :, word % 2])
            self._registers[instruction.output + word] = register

    def _operand(self, slot: int, wide: bool) -> npt.NDArray[Any]:
        if not wide:
            return self._registers[slot]
        operand = np.empty((self._count, 2), np.uint32)
        operand[:, 0] = self._registers[slot]
        operand[:, 1] = self._registers[slot + 1]
        return operand.view(np.uint64).reshape(-1)

    def _immediate(self, pc: int, instruction: _Instruction, wide: bool) -> npt.NDArray[Any]:
        """Operand b of all items, made once however often the instruction is executed."""
        if pc not in self._immediates:
            dtype = np.uint64 if wide else np.uint32
            value = instruction.immediate if wide else instruction.immediate & 0xFFFFFFFF
            self._immediates[pc] = np.full(self._count, value, dtype)
        return self._immediates[pc]
