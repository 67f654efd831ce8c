"""How a batch of items is made by interpreting their random program for all of them (spec 1 §3.3).

The registers of all items lie together, so that one NumPy call executes an instruction for each of
them. Where the program branches, both arms are executed for all items, because operations have no
effects but on registers of the arm; only what an arm outputs is for the items that take it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.cryptocycle import (
    CryptoCycle,
    empty_states,
    fuzz,
    init,
)
from packetcrypt.kernels.numpy.operations import OPERATIONS, Operation
from packetcrypt.kernels.numpy.outputs import MOST_PENDING, OUTPUT_WORDS, Outputs, U32s
from packetcrypt.kernels.program import DecodedProgram, Operand
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.opcodes import CLASS_OF, Opcode
from packetcrypt.protocol.randhash import MAX_EXECUTED, WINDOW_STARTS, WINDOW_WORDS

_ITEM_WORDS = ITEM_SIZE // 8
_LAST_OPERATION = max(CLASS_OF)
_IFS = (Opcode.IF_LIKELY, Opcode.IF_RANDOM)


def items(
    program: DecodedProgram, seed: bytes, numbers: npt.NDArray[np.intp], cycle: CryptoCycle
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Items of the table of a program and a 32-byte items seed: (n, 128) uint64.

    Also returns (n,) bool: the items during which the program ran too long, whose bytes mean
    nothing. numbers : (n,) below 2^32
    """
    run = ItemRun(program, seed, numbers)
    for _ in run.steps():
        pass
    return run.finish(slice(0, len(numbers)), cycle), run.too_long


class ItemRun:
    """Items of one table in the making, in steps of a few milliseconds.

    After the last step `finish` gives the items; it is given apart because it needs the buffers of
    a thread, while the steps may be taken on any.
    """

    def __init__(self, program: DecodedProgram, seed: bytes, numbers: npt.NDArray[np.intp]) -> None:
        """seed : 32-byte items seed; numbers : (n,) below 2^32"""
        self._states = empty_states(len(numbers))
        init(self._states, seed, numbers)
        windows = numbers % WINDOW_STARTS + np.arange(WINDOW_WORDS)[:, None]
        self._run = _Run(program, program.memory[windows])

    def steps(self) -> Iterator[None]:
        """Run the program; yields between short pieces of work."""
        words = self._states.view(np.uint32)
        source, target = words[:, :OUTPUT_WORDS], words[:, OUTPUT_WORDS : 2 * OUTPUT_WORDS]
        yield from self._run.execute(source, target)
        yield from self._run.execute(target, source)

    def finish(self, rows: slice, cycle: CryptoCycle) -> npt.NDArray[np.uint64]:
        """The items of some rows, after all steps, once: (m, 128) uint64, a view."""
        states = self._states[rows]
        fuzz(states)
        cycle.crypt(states, (0, ITEM_SIZE))
        return states[:, :_ITEM_WORDS]

    @property
    def too_long(self) -> npt.NDArray[np.bool_]:
        """(n,) the items during which the program ran too long: their bytes mean nothing."""
        return self._run.too_long


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


class _Operation(NamedTuple):
    """How to execute an operation.

    wide      : whether its operands have 64 bits
    immediate : (n,) operand b, if that is no register
    """

    compute: Operation
    wide: bool
    immediate: npt.NDArray[Any] | None


class _Run:
    """A program at work on n items.

    memory : (256, n) uint32, the items' memory windows, word by word
    """

    def __init__(self, program: DecodedProgram, memory: U32s) -> None:
        self._program = program
        self._instructions = [_Instruction(*record) for record in program.records.tolist()]
        self._memory = memory
        self._count = memory.shape[1]
        self._operations = {
            pc: _operation(instruction, self._count)
            for pc, instruction in enumerate(self._instructions)
            if instruction.opcode <= _LAST_OPERATION
        }
        self._short_ifs = {
            pc
            for pc, instruction in enumerate(self._instructions)
            if instruction.opcode in _IFS and self._is_short(pc)
        }
        self._registers: list[U32s] = [memory[0]] * program.slots
        self._iteration = 0
        #: (n,) bool: items that executed too many words in a pass
        self.too_long = np.zeros(self._count, np.bool_)

    def execute(self, source: U32s, target: U32s) -> Iterator[None]:
        """One pass over (n, 256) inputs, adding to (n, 256) outputs. Yields at every END."""
        self._source = np.ascontiguousarray(source.T)
        self._outputs = Outputs(target)
        self._add: Callable[[Sequence[U32s]], None] = self._outputs.add
        self._executed = np.full(self._count, self._program.common_words)
        yield from self._loop(0)
        self.too_long |= self._executed > MAX_EXECUTED
        target[:] = self._outputs.result()

    def _loop(self, pc: int) -> Iterator[None]:
        for iteration in range(self._instructions[pc].immediate):
            self._iteration = iteration
            yield from self._scope(pc + 1)

    def _scope(self, pc: int) -> Iterator[None]:
        """Execute a scope from its first instruction to its END."""
        instruction = self._instructions[pc]
        while (opcode := instruction.opcode) != Opcode.END:
            if opcode <= _LAST_OPERATION:
                self._operate(pc, instruction)
            elif opcode == Opcode.IN:
                self._registers[instruction.output] = self._source[instruction.immediate]
            elif opcode == Opcode.MEMORY:
                first, step = instruction.immediate & 0xFFFFFFFF, instruction.immediate >> 32
                index = (first + self._iteration * step) % WINDOW_WORDS
                self._registers[instruction.output] = self._memory[index]
            elif opcode == Opcode.LOOP:
                yield from self._loop(pc)
                pc = instruction.target
            else:
                yield from self._branch(pc, instruction)
                # The second arm ends before the instruction that the first one jumps to.
                pc = self._instructions[instruction.target - 1].target - 1
            pc += 1
            instruction = self._instructions[pc]
        first_own = instruction.output
        self._add(self._registers[first_own : first_own + instruction.length])
        yield

    def _branch(self, pc: int, instruction: _Instruction) -> Iterator[None]:
        """Execute both arms of an IF, each for the items that take it."""
        condition = self._registers[instruction.a] & np.uint32(instruction.immediate)
        taken = condition.astype(np.bool_)
        if self._program.may_run_too_long:
            lanes = self._outputs.lanes
            words = np.where(taken, instruction.then_words, instruction.else_words)
            self._executed[lanes] += words[lanes]
        if pc in self._short_ifs:
            then: list[U32s] = []
            otherwise: list[U32s] = []
            yield from self._collect(then, pc + 2)
            yield from self._collect(otherwise, instruction.target)
            self._outputs.add_either(taken, then, otherwise)
            return
        lanes = self._outputs.lanes
        self._outputs.select(lanes[taken[lanes]])
        yield from self._scope(pc + 2)
        self._outputs.select(lanes[~taken[lanes]])
        yield from self._scope(instruction.target)
        self._outputs.select(lanes)

    def _collect(self, words: list[U32s], pc: int) -> Iterator[None]:
        """Execute an arm and append to `words` what it outputs."""
        self._add = words.extend
        yield from self._scope(pc)
        self._add = self._outputs.add

    def _is_short(self, pc: int) -> bool:
        """Whether what the arms of an IF output is few words, the same number for all items."""
        arms = (self._words_output(pc + 2), self._words_output(self._instructions[pc].target))
        return None not in arms and max(words or 0 for words in arms) <= MOST_PENDING

    def _words_output(self, pc: int) -> int | None:
        """How many words a scope outputs that begins at pc; None if that depends on the item."""
        words = 0
        while (instruction := self._instructions[pc]).opcode != Opcode.END:
            if instruction.opcode in _IFS:
                return None
            if instruction.opcode == Opcode.LOOP:
                inner = self._words_output(pc + 1)
                if inner is None:
                    return None
                words += instruction.immediate * inner
                pc = instruction.target
            pc += 1
        return words + instruction.length

    def _operate(self, pc: int, instruction: _Instruction) -> None:
        compute, wide, b = self._operations[pc]
        a = self._operand(instruction.a, wide)
        if b is None:
            b = self._operand(instruction.b, wide)
        results = compute(a, b)
        if instruction.length == 1:
            self._registers[instruction.output] = results
            return
        halves = results.view(np.uint32).reshape(-1, self._count, 2)
        for word in range(instruction.length):
            register = np.ascontiguousarray(halves[word // 2, :, word % 2])
            self._registers[instruction.output + word] = register

    def _operand(self, slot: int, wide: bool) -> npt.NDArray[Any]:
        if not wide:
            return self._registers[slot]
        operand = np.empty((self._count, 2), np.uint32)
        operand[:, 0] = self._registers[slot]
        operand[:, 1] = self._registers[slot + 1]
        return operand.view(np.uint64).reshape(-1)


def _operation(instruction: _Instruction, count: int) -> _Operation:
    opcode = Opcode(instruction.opcode)
    wide = CLASS_OF[opcode].inputs == 4
    immediate: npt.NDArray[Any] | None = None
    if instruction.variant == Operand.IMMEDIATE:
        value = instruction.immediate if wide else instruction.immediate & 0xFFFFFFFF
        immediate = np.full(count, value, np.uint64 if wide else np.uint32)
    return _Operation(OPERATIONS[opcode], wide, immediate)
