"""Instruction fields against spec 1 §3.1."""

import pytest

from packetcrypt.protocol import opcodes
from packetcrypt.protocol.opcodes import Opcode


def test_classes_cover_all_operations_in_order_and_size() -> None:
    sizes = {c: len(c.opcodes) for c in dict.fromkeys(opcodes.CLASS_OF.values())}
    assert list(sizes.values()) == [11, 24, 15, 8, 5]
    assert sorted(opcodes.CLASS_OF) == list(range(Opcode.POPCNT8, Opcode.IN))


def test_what_is_out_of_range_is_invalid() -> None:
    assert opcodes.opcode_of(0xFF) is Opcode.INVALID_BIG
    assert opcodes.opcode_of(0xABCDEF00) is Opcode.INVALID_ZERO


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0x00000000, 0),
        (0x7FF00000, 2047),
        (0x80000000, -2048),
        (0xFFF00000, -1),
        # pattern form (bit 19): A = bit 0, B = bit 1, I = 0: all ones with bits 0 and 1 flipped
        (1 << 25 | 1 << 19, -4),
        # A = B: the flips cancel; I = 0: all ones
        (1 << 19, -1),
        # I = 1: 2^63 − 1 with both flips cancelled
        (1 << 30 | 1 << 19, (1 << 63) - 1),
        # I = 1 and S = 1: bit 63 set again
        (1 << 31 | 1 << 30 | 1 << 19, -1),
    ],
)
def test_immediates(word: int, value: int) -> None:
    assert opcodes.immediate(word) == value


def test_register_and_memory_fields() -> None:
    word = 0x155 << 20 | 0x0AA << 9
    assert (opcodes.reg_a(word), opcodes.reg_b(word)) == (0x0AA, 0x155)
    memory = 0x7ABC << 17 | 0x5 << 13 | 0xC << 9 | Opcode.MEMORY
    assert opcodes.memory_base(memory) == 0x7ABC
    assert opcodes.memory_step(memory) == 5
    assert opcodes.memory_carry(memory) == 12
    assert opcodes.jump_distance(77 << 8 | Opcode.JMP) == 77
