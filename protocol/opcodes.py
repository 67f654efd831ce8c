"""How a RandHash instruction word is laid out, and which operations exist (spec 1 §3.1)."""

from enum import IntEnum
from typing import NamedTuple


class Opcode(IntEnum):
    """The low 8 bits of an instruction word."""

    INVALID_ZERO = 0
    POPCNT8 = 1
    POPCNT16 = 2
    POPCNT32 = 3
    CLZ8 = 4
    CLZ16 = 5
    CLZ32 = 6
    CTZ8 = 7
    CTZ16 = 8
    CTZ32 = 9
    BSWAP16 = 10
    BSWAP32 = 11
    ADD8 = 12
    ADD16 = 13
    ADD32 = 14
    SUB8 = 15
    SUB16 = 16
    SUB32 = 17
    SHLL8 = 18
    SHLL16 = 19
    SHLL32 = 20
    SHRL8 = 21
    SHRL16 = 22
    SHRL32 = 23
    SHRA8 = 24
    SHRA16 = 25
    SHRA32 = 26
    ROTL8 = 27
    ROTL16 = 28
    ROTL32 = 29
    MUL8 = 30
    MUL16 = 31
    MUL32 = 32
    AND = 33
    OR = 34
    XOR = 35
    ADD8C = 36
    ADD16C = 37
    ADD32C = 38
    SUB8C = 39
    SUB16C = 40
    SUB32C = 41
    MUL8C = 42
    MUL16C = 43
    MUL32C = 44
    MULSU8C = 45
    MULSU16C = 46
    MULSU32C = 47
    MULU8C = 48
    MULU16C = 49
    MULU32C = 50
    ADD64 = 51
    SUB64 = 52
    SHLL64 = 53
    SHRL64 = 54
    SHRA64 = 55
    ROTL64 = 56
    ROTR64 = 57
    MUL64 = 58
    ADD64C = 59
    SUB64C = 60
    MUL64C = 61
    MULSU64C = 62
    MULU64C = 63
    IN = 64
    MEMORY = 65
    LOOP = 66
    IF_LIKELY = 67
    IF_RANDOM = 68
    JMP = 69
    END = 70
    INVALID_BIG = 71


class OperandClass(NamedTuple):
    """Operations that take and give the same numbers of 32-bit registers."""

    inputs: int
    outputs: int
    cost: int
    """what one such operation takes from a generator budget (spec 1 §3.2)"""
    opcodes: tuple[Opcode, ...]


def _span(first: Opcode, last: Opcode) -> tuple[Opcode, ...]:
    return tuple(Opcode(number) for number in range(first, last + 1))


UNARY = OperandClass(1, 1, 1, _span(Opcode.POPCNT8, Opcode.BSWAP32))
BINARY = OperandClass(2, 1, 2, _span(Opcode.ADD8, Opcode.XOR))
WIDENING = OperandClass(2, 2, 4, _span(Opcode.ADD8C, Opcode.MULU32C))
BINARY64 = OperandClass(4, 2, 8, _span(Opcode.ADD64, Opcode.MUL64))
WIDENING64 = OperandClass(4, 4, 16, _span(Opcode.ADD64C, Opcode.MULU64C))

CLASS_OF = {
    opcode: operands
    for operands in (UNARY, BINARY, WIDENING, BINARY64, WIDENING64)
    for opcode in operands.opcodes
}


def opcode_of(word: int) -> Opcode:
    """The opcode of an instruction word; what is out of range counts as `INVALID_BIG`."""
    return Opcode(min(word & 0xFF, Opcode.INVALID_BIG))


def reg_a(word: int) -> int:
    """Number of the first operand's register (the high one of a 64-bit pair)."""
    return word >> 9 & 0x1FF


def reg_b(word: int) -> int:
    """Number of the second operand's register (the high one of a 64-bit pair)."""
    return word >> 20 & 0x1FF


def has_immediate(word: int) -> bool:
    """Whether the second operand is the immediate and not a register."""
    return bool(word >> 18 & 1)


def immediate(word: int) -> int:
    """The immediate, a signed 64-bit number."""
    field = word >> 20
    if not word >> 19 & 1:
        return field - (1 << 12) if field >> 11 else field
    # The pattern form: two bits, A and B, flipped in all ones or in the complement of bit 63.
    a, b, inverted, negative = field & 31, field >> 5 & 31, field >> 10 & 1, field >> 11 & 1
    pattern = ((inverted << 63) - 1) ^ (1 << b) ^ (1 << a)
    pattern = pattern & (1 << 64) - 1 | negative << 63
    return pattern - (1 << 64) if pattern >> 63 else pattern


def memory_carry(word: int) -> int:
    """MEMORY: what is added to the iteration number."""
    return word >> 9 & 0xF


def memory_step(word: int) -> int:
    """MEMORY: words between the reads of one iteration and the next."""
    return word >> 13 & 0xF


def memory_base(word: int) -> int:
    """MEMORY: the first word's index, modulo the window."""
    return word >> 17


def jump_distance(word: int) -> int:
    """JMP: instructions to skip."""
    return word >> 8
