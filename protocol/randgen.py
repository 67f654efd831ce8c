"""Which random program follows from a seed (spec 1 §3.2).

The generator draws random words one by one, and each draw decides everything after it, so the order
of the draws in this file is the specification. `and`/`or` short-circuit there as they do here.
"""

import struct
from collections.abc import Iterator

from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.opcodes import (
    BINARY,
    BINARY64,
    UNARY,
    WIDENING,
    WIDENING64,
    Opcode,
    OperandClass,
)
from packetcrypt.protocol.primitives import expand

MAX_INSTRUCTIONS = 2048

BUDGET = 20000
INPUT_COST = 2
MEMORY_COST = 20
LOOP_COST = 20
BRANCH_COST = 50

_WORD = 0xFFFFFFFF
_UNUSED, _USED, _MARK = 0, 1, 2


def generate(program_seed: bytes) -> tuple[int, ...]:
    """The instruction words (u32) of the program of a 32-byte seed.

    Raises `ProgramError` if the program is too big (spec 1 §3.2: more than 2048 instructions).
    """
    generator = _Generator(program_seed)
    generator.loop(BUDGET)
    if len(generator.code) > MAX_INSTRUCTIONS:
        raise ProgramError(
            f"the program of seed {program_seed.hex()} is too big: {len(generator.code)} "
            f"instructions, at most {MAX_INSTRUCTIONS} are allowed; skip this job"
        )
    return tuple(generator.code)


def _random_words(seed: bytes) -> Iterator[int]:
    number = 0
    while True:
        yield from struct.unpack("<16I", expand(seed, number, 64))
        number += 1


class _Generator:
    def __init__(self, seed: bytes) -> None:
        self.code: list[int] = []
        self._draw = _random_words(seed).__next__
        self._vars: list[int] = []
        """one entry a register: unused, used, or the mark that opens a scope"""
        self._depth = 0

    # Random decisions

    def _toss(self, n: int) -> bool:
        return self._draw() % n == 0

    def _range(self, start: int, end: int) -> int:
        return self._draw() % (end - start) + start

    # Operands

    def _frame(self, double: bool) -> tuple[int, int]:
        """The scope [lo, hi) that an operand is taken from, chosen from the innermost out."""
        hi = len(self._vars)
        while True:
            lo = hi
            while lo and self._vars[lo - 1] != _MARK:
                lo -= 1
            outermost = lo <= 1
            if hi - lo >= (2 if double else 1) and (outermost or not self._toss(4)):
                return lo, hi
            hi = lo - 1

    def _pick(self, double: bool) -> int:
        """A register, rather one not used yet; the high one of a neighbouring pair if double."""
        lo, hi = self._frame(double)
        j = self._range(lo, hi) + 1
        while True:
            if j >= hi:
                j = lo
            if (not double or j > lo) and self._toss(8):
                break
            if self._vars[j] == _UNUSED and (not double or self._vars[j - 1] == _UNUSED):
                break
            j += 1
        self._vars[j] = _USED
        if double:
            self._vars[j - 1] = _USED
        return j

    def _operand_a(self, double: bool) -> int:
        return self._pick(double) << 9

    def _operand_b(self, double: bool) -> int:
        if self._toss(4):
            return (self._draw() << 20 & _WORD) | 1 << 18
        return self._pick(double) << 20

    # Instructions: each returns the budget left, or None if it failed (and emitted nothing)

    def _operation(self, operands: OperandClass, budget: int) -> int | None:
        opcode = operands.opcodes[self._draw() % len(operands.opcodes)]
        if budget < operands.cost:
            return None
        double = operands.inputs == 4
        word = opcode | self._operand_a(double)
        if operands.inputs > 1:
            word |= self._operand_b(double)
        self.code.append(word)
        self._vars += [_UNUSED] * operands.outputs
        return budget - operands.cost

    def _input(self, budget: int) -> int | None:
        if budget < INPUT_COST:
            return None
        self._vars.append(_UNUSED)
        self.code.append((self._draw() << 8 & _WORD) | Opcode.IN)
        return budget - INPUT_COST

    def _branch(self, budget: int) -> int | None:
        if budget < BRANCH_COST:
            return None
        budget -= BRANCH_COST
        opcode = Opcode.IF_RANDOM if self._toss(2) else Opcode.IF_LIKELY
        self.code.append(self._operand_a(double=False) | opcode | 2 << 20)
        arm_budget = budget * 7 // 32
        over_first = self._placeholder()
        self._scope(arm_budget)
        over_second = self._placeholder()
        self._scope(arm_budget)
        self.code[over_first] = (over_second - over_first) << 8 | Opcode.JMP
        self.code[over_second] = (len(self.code) - over_second - 1) << 8 | Opcode.JMP
        return budget

    def _placeholder(self) -> int:
        self.code.append(Opcode.JMP)
        return len(self.code) - 1

    def loop(self, budget: int) -> None:
        iterations = self._range(2, 7 + 29 * self._depth)
        reads = self._range(2, 4)
        if budget < LOOP_COST * iterations:
            return
        budget //= iterations
        self.code.append(iterations << 20 | Opcode.LOOP)
        self._open()
        template = (self._draw() << 8 & _WORD) | Opcode.MEMORY
        for _ in range(reads):
            if budget < MEMORY_COST:
                break
            budget -= MEMORY_COST
            self._vars.append(_UNUSED)
            self.code.append(template & ~(0xF << 9) | (self._draw() & 15) << 9)
        self._body(budget)
        self._close()

    # Scopes

    def _scope(self, budget: int) -> None:
        self._open()
        self._body(budget)
        self._close()

    def _open(self) -> None:
        self._depth += 1
        self._vars.append(_MARK)

    def _close(self) -> None:
        self.code.append(Opcode.END)
        self._depth -= 1
        while self._vars.pop() != _MARK:
            pass

    def _body(self, budget: int) -> None:
        while len(self.code) <= MAX_INSTRUCTIONS:
            most = self._range(2, 12)
            for i in range(1, most + 1):
                left = self._instruction(budget, most, i)
                if left is None:
                    return
                budget = left
            if self._draw() % 64 + len(self.code) * 25 // 2048 < 50:
                left = self._branch(budget)
                if left is None:
                    return
                budget = left
            if self._draw() % 32 < 23:
                self.loop(budget)
                return

    def _instruction(self, budget: int, most: int, i: int) -> int | None:
        """The first of the possible instructions that succeeds, the rarest kinds first."""
        for chance, operands in (
            (4 * most // i, WIDENING64),
            (3 * most // i, BINARY64),
            (3 * most // i, WIDENING),
            (2 * most // i, BINARY),
        ):
            if self._toss(chance) and (left := self._operation(operands, budget)) is not None:
                return left
        if self._toss(i) and (left := self._input(budget)) is not None:
            return left
        return self._operation(UNARY, budget)
