"""What a device needs to know of a random program: instruction words decoded into fixed records.

Everything about a program except its operands' values is static: the stack height at every
instruction, where scopes begin and end, how often a loop runs. So it is worked out once, and the
devices interpret records of 32 bytes for many items at a time. All items run through both arms of
an IF, each under a mask: record i is instruction i, and the JMPs keep their places.

NumPy decodes here; OpenCL devices do it themselves (opencl/program_decode.cl), and this is their
referee.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
from packetcrypt.protocol.randhash import MAX_EXECUTED, RandProgram

MAX_DEPTH = 16
"""Scopes that may be open at a time.

The generator opens at most 10: a loop leaves at most half of its budget to its body, and at least
20; an arm has less than a quarter of it (spec 1 §3.2).
"""

#: One decoded instruction, 32 bytes. A slot is a place on the register stack, counted from the
#: bottom with MARKs included; a 64-bit value lies in two slots, low word first.
#: Indexes are those of records.
#:
#: opcode       an `Opcode`
#: variant      operations: where operand b comes from (`Operand`); END: what it closes (`Scope`);
#:              JMP: which arm it skips (`Scope`)
#: output       slot of the first word pushed; LOOP, IF: slot of the MARK;
#:              END: slot of the first own register
#: length       words pushed; END: number of own registers, which are added to the output array
#: a, b         slots of the operands (their low words); IF: a is the condition's
#: target       LOOP: the END of the loop; END of a loop: the first instruction of its body;
#:              IF: the first instruction of the ELSE arm, the THEN arm begins two after the IF;
#:              JMP: where it jumps to
#: immediate    operations: operand b, two's complement (32-bit operations use the low half);
#:              IN: index into the input, 0…255; LOOP: number of iterations;
#:              IF: the bits of the condition that decide, 7 or 1;
#:              MEMORY: low half: window index in iteration 0, high half: step, so that
#:              iteration i reads word (low + i·step) mod 256
#: then_words   IF: words an item executes by taking the THEN arm (its END, the JMP after it),
#: else_words   or the ELSE arm (the JMP before it, its END); without the arms of IFs inside the arm
RECORD_DTYPE = np.dtype(
    [
        ("opcode", "<u2"),
        ("variant", "<u2"),
        ("output", "<u2"),
        ("length", "<u2"),
        ("a", "<u2"),
        ("b", "<u2"),
        ("target", "<u4"),
        ("immediate", "<u8"),
        ("then_words", "<u4"),
        ("else_words", "<u4"),
    ]
)


class Operand(IntEnum):
    """`variant` of an operation: where its operand b comes from."""

    REGISTER = 0
    IMMEDIATE = 1


class Scope(IntEnum):
    """`variant` of an END: which scope it closes; of a JMP: which arm it skips."""

    LOOP = 0
    THEN = 1
    ELSE = 2


@dataclass(frozen=True)
class DecodedProgram:
    """A random program as devices run it.

    seed         : 32 bytes
    records      : (n,) `RECORD_DTYPE`; record 0 is the LOOP around the whole program
    memory       : (2048,) uint32
    slots        : height of the register stack
    longest_end  : most registers that one END adds to the output
    depth        : most scopes open at a time
    common_words : words every item executes in a pass, whatever it branches to
    longest_path : words of the longest path through the program

    A pass executes `common_words` plus `then_words` or `else_words` of every IF the item comes by.
    """

    seed: bytes
    records: npt.NDArray[np.void]
    memory: npt.NDArray[np.uint32]
    slots: int
    longest_end: int
    depth: int
    common_words: int
    longest_path: int

    @property
    def may_run_too_long(self) -> bool:
        """Whether some path exceeds the limit, so that each item's executed words must be counted.

        Random programs hardly ever do (none of 30 000 seeds did).
        """
        return self.longest_path > MAX_EXECUTED


def decode(program: RandProgram) -> DecodedProgram:
    """Decode a program and check that it is built as the generator builds programs (spec 1 §3.2).

    Devices trust the records without bounds checks. Raises `ProgramError` for what the generator
    cannot have made: scopes that do not nest, jumps to elsewhere, operands that are no registers.
    """
    decoder = _Decoder(program.instructions)
    decoder.decode()
    return DecodedProgram(
        seed=program.seed,
        records=np.array(decoder.records, RECORD_DTYPE),
        memory=np.array(program.memory, np.uint32),
        slots=decoder.slots,
        longest_end=decoder.longest_end,
        depth=decoder.depth,
        common_words=decoder.common_words,
        longest_path=decoder.longest_path,
    )


@dataclass
class _OpenScope:
    """A scope being decoded, or (start −1) what surrounds the program."""

    kind: Scope
    start: int
    """index of its LOOP, IF or JMP"""
    mark: int
    """slot of its MARK"""
    common: int = 0
    """words executed so far by every item that runs the scope once"""
    longest: int = 0
    """words of the longest path so far"""
    then_longest: int = 0
    """while an ELSE arm is open: the longest path through the THEN arm before it"""

    def add(self, common: int, longest: int) -> None:
        self.common += common
        self.longest += longest


class _Record(NamedTuple):
    """The fields of `RECORD_DTYPE`, in its order."""

    opcode: Opcode
    variant: int = 0
    output: int = 0
    length: int = 0
    a: int = 0
    b: int = 0
    target: int = 0
    immediate: int = 0
    then_words: int = 0
    else_words: int = 0


class _Decoder:
    """One walk over a program's words with the scopes that are open."""

    def __init__(self, instructions: tuple[int, ...]) -> None:
        self._instructions = instructions
        self._stack: list[bool] = []  # a slot each: is it a register (or a MARK)
        self._scopes = [_OpenScope(Scope.LOOP, -1, -1)]
        self._pc = 0
        self.records: list[_Record] = []
        self.slots = 0
        self.longest_end = 0
        self.depth = 0

    @property
    def common_words(self) -> int:
        return self._scopes[0].common

    @property
    def longest_path(self) -> int:
        return self._scopes[0].longest

    def decode(self) -> None:
        while self._pc < len(self._instructions):
            self._instruction(self._instructions[self._pc])
            if len(self._scopes) == 1:
                break
        if len(self._scopes) != 1 or self._pc != len(self._instructions) or not self._pc:
            raise self._malformed("it is not one LOOP with its END at the end")

    def _malformed(self, what: str) -> ProgramError:
        return ProgramError(
            f"instruction {self._pc} of the program is not what the generator makes: {what}; "
            "only decode programs made by RandProgram.generate"
        )

    def _instruction(self, word: int) -> None:
        opcode = opcode_of(word)
        if self._pc == 0 and opcode is not Opcode.LOOP:
            raise self._malformed("it is not one LOOP with its END at the end")
        if opcode in CLASS_OF:
            self._operation(opcode, word)
        elif opcode is Opcode.IN:
            index = immediate(word) % 256
            self._emit_push(_Record(opcode, 0, len(self._stack), 1, immediate=index))
        elif opcode is Opcode.MEMORY:
            self._memory(word)
        elif opcode is Opcode.LOOP:
            self._loop(word)
        elif opcode in (Opcode.IF_LIKELY, Opcode.IF_RANDOM):
            self._branch(opcode, word)
        elif opcode is Opcode.END:
            self._end()
        else:
            raise self._malformed(f"{opcode.name} out of place, word {word:08x}")

    def _emit(self, record: _Record) -> None:
        self.records.append(record)
        self._pc += 1

    def _emit_push(self, record: _Record) -> None:
        """A record that pushes registers."""
        self._scopes[-1].add(1, 1)
        self._stack += [True] * record.length
        self.slots = max(self.slots, len(self._stack))
        self._emit(record)

    def _operation(self, opcode: Opcode, word: int) -> None:
        operands = CLASS_OF[opcode]
        words = 2 if operands.inputs == 4 else 1
        a = self._operand(reg_a(word), words)
        b, value, variant = 0, 0, Operand.REGISTER
        if operands.inputs > 1:
            if has_immediate(word):
                value, variant = immediate(word) & 0xFFFFFFFFFFFFFFFF, Operand.IMMEDIATE
            else:
                b = self._operand(reg_b(word), words)
        output = len(self._stack)
        self._emit_push(_Record(opcode, variant, output, operands.outputs, a, b, immediate=value))

    def _operand(self, register: int, words: int) -> int:
        """Slot of an operand's low word, given the register number of its high one."""
        low = register - words + 1
        if low < 0 or not all(self._stack[low : register + 1]) or register >= len(self._stack):
            raise self._malformed(f"operand {register} is not an open register")
        return low

    def _memory(self, word: int) -> None:
        # "The loop iteration most recently started" is static only at the head of a loop, and only
        # there the generator puts MEMORY.
        if self.records[-1].opcode not in (Opcode.LOOP, Opcode.MEMORY):
            raise self._malformed("MEMORY that is not at the head of a loop")
        step = memory_step(word)
        first = (memory_base(word) + memory_carry(word) * step) % 256
        address = first | step << 32
        self._emit_push(_Record(Opcode.MEMORY, 0, len(self._stack), 1, immediate=address))

    def _loop(self, word: int) -> None:
        count = immediate(word)
        if not 1 <= count <= MAX_EXECUTED:
            raise self._malformed(f"LOOP of {count} iterations")
        self._emit(_Record(Opcode.LOOP, output=len(self._stack), immediate=count))
        self._open(Scope.LOOP, self._pc - 1)

    def _branch(self, opcode: Opcode, word: int) -> None:
        condition = self._operand(reg_a(word), 1)
        jump = self._pc + 1
        is_jump = opcode_of(self._word(jump)) is Opcode.JMP
        target = jump + 1 + jump_distance(self._word(jump))
        if not is_jump or opcode_of(self._word(target - 1)) is not Opcode.JMP or target <= jump + 1:
            raise self._malformed("an IF without the two JMPs of its arms")
        start = self._pc
        mask = 7 if opcode is Opcode.IF_LIKELY else 1
        mark = len(self._stack)
        self._emit(_Record(opcode, output=mark, a=condition, target=target, immediate=mask))
        self._emit(_Record(Opcode.JMP, Scope.THEN, target=target))
        self._open(Scope.THEN, start)

    def _word(self, index: int) -> int:
        """The instruction word at `index`, 0 (invalid) outside the program."""
        return self._instructions[index] if 0 <= index < len(self._instructions) else 0

    def _open(self, kind: Scope, start: int, then_longest: int = 0) -> None:
        if len(self._scopes) > MAX_DEPTH:
            raise self._malformed(f"more than {MAX_DEPTH} scopes are open")
        self._scopes.append(_OpenScope(kind, start, len(self._stack), then_longest=then_longest))
        self._stack.append(False)
        self.slots = max(self.slots, len(self._stack))
        self.depth = max(self.depth, len(self._scopes) - 1)

    def _end(self) -> None:
        scope = self._scopes.pop()
        scope.add(1, 1)
        own = len(self._stack) - scope.mark - 1
        self.longest_end = max(self.longest_end, own)
        del self._stack[scope.mark :]
        target = scope.start + 1 if scope.kind is Scope.LOOP else 0
        self._emit(_Record(Opcode.END, scope.kind, scope.mark + 1, own, target=target))
        if scope.kind is Scope.LOOP:
            self._close_loop(scope)
        elif scope.kind is Scope.THEN:
            self._close_then(scope)
        else:
            self._close_else(scope)

    def _close_loop(self, scope: _OpenScope) -> None:
        loop = self.records[scope.start]
        count = loop.immediate
        self.records[scope.start] = loop._replace(target=self._pc - 1)
        self._scopes[-1].add(1 + count * scope.common, 1 + count * scope.longest)

    def _close_then(self, scope: _OpenScope) -> None:
        branch = self.records[scope.start]
        if self._pc != branch.target - 1:
            raise self._malformed("a THEN arm that does not end before its JMP")
        self.records[scope.start] = branch._replace(then_words=scope.common + 1)
        end = self._pc + 1 + jump_distance(self._instructions[self._pc])
        self._emit(_Record(Opcode.JMP, Scope.ELSE, target=end))
        self._open(Scope.ELSE, scope.start, then_longest=scope.longest + 1)

    def _close_else(self, scope: _OpenScope) -> None:
        branch = self.records[scope.start]
        if self.records[branch.target - 1].target != self._pc:
            raise self._malformed("an ELSE arm that does not end where the THEN arm jumps to")
        self.records[scope.start] = branch._replace(else_words=scope.common + 1)
        self._scopes[-1].add(1, 1 + max(scope.then_longest, scope.longest + 1))
