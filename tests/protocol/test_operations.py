"""RandHash operations: edge operands by hand, laws by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.opcodes import CLASS_OF, Opcode
from packetcrypt.protocol.operations import OPERATIONS

U32 = st.integers(0, 0xFFFFFFFF)
U64 = st.integers(0, 0xFFFFFFFFFFFFFFFF)
ONES64 = 0xFFFFFFFFFFFFFFFF


@pytest.mark.parametrize(
    ("name", "a", "b", "result"),
    [
        ("POPCNT8", 0xFF010300, 0, (0x08010200,)),
        ("POPCNT16", 0xFFFF0001, 0, (0x00100001,)),
        ("CLZ8", 0x00800100, 0, (0x08000708,)),
        ("CLZ32", 0, 0, (32,)),
        ("CTZ16", 0x00008000, 0, (0x0010000F,)),
        ("CTZ8", 0x00800104, 0, (0x08070002,)),
        ("BSWAP16", 0x11223344, 0, (0x22114433,)),
        ("BSWAP32", 0x11223344, 0, (0x44332211,)),
        ("ADD8", 0xFF01FF01, 0x01010101, (0x00020002,)),
        ("SUB16", 0x00000001, 0x00010002, (0xFFFFFFFF,)),
        ("SHLL8", 0x01010101, 0x00010809, (0x01020102,)),
        ("SHRA16", 0x80008000, 0x0001001F, (0xC000FFFF,)),
        ("SHRL32", 0x80000000, 0xFFFFFFFF, (1,)),
        ("ROTL32", 0x80000001, 33, (3,)),
        ("ROTL8", 0x81818181, 0x00010407, (0x810318C0,)),
        ("MUL8", 0xFF02FF02, 0xFF800302, (0x0100FD04,)),
        ("ADD8C", 0xFF00FF01, 0x01000101, (0x01000002, 0x01000000)),
        ("SUB8C", 0x00000001, 0x00000002, (0x0000FFFF, 0)),
        ("MUL16C", 0x0000FFFF, 0x00000002, (0xFFFFFFFE, 0)),
        ("MULSU32C", 0xFFFFFFFF, 0xFFFFFFFF, (1, 0xFFFFFFFF)),
        ("MULU32C", 0xFFFFFFFF, 0xFFFFFFFF, (1, 0xFFFFFFFE)),
        ("ROTR64", 1, 1, (0, 0x80000000)),
        ("SHRA64", 1 << 63, 63, (0xFFFFFFFF, 0xFFFFFFFF)),
        ("ADD64C", ONES64, 1, (0, 0, 1, 0)),
        ("SUB64C", 0, 1, (0xFFFFFFFF,) * 4),
        ("SUB64C", 1, 1, (0, 0, 0, 0)),
        ("MUL64C", ONES64, ONES64, (1, 0, 0, 0)),
        ("MULSU64C", ONES64, 2, (0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)),
        ("MULU64C", ONES64, ONES64, (1, 0, 0xFFFFFFFE, 0xFFFFFFFF)),
    ],
)
def test_edge_operands(name: str, a: int, b: int, result: tuple[int, ...]) -> None:
    assert OPERATIONS[Opcode[name]](a, b) == result


def test_every_operation_of_every_class_is_defined() -> None:
    assert set(OPERATIONS) == set(CLASS_OF)


@pytest.mark.parametrize("opcode", sorted(OPERATIONS), ids=lambda o: Opcode(o).name)
@given(a=U64, b=U64)
def test_results_are_as_many_u32_words_as_the_class_says(opcode: Opcode, a: int, b: int) -> None:
    operands = CLASS_OF[opcode]
    mask = ONES64 if operands.inputs == 4 else 0xFFFFFFFF
    result = OPERATIONS[opcode](a & mask, b & mask)
    assert len(result) == operands.outputs
    assert all(0 <= word <= 0xFFFFFFFF for word in result)


@given(a=U64, b=U64)
def test_64_bit_products_agree_in_their_low_half(a: int, b: int) -> None:
    low = OPERATIONS[Opcode.MUL64](a, b)
    for name in ("MUL64C", "MULSU64C", "MULU64C"):
        assert OPERATIONS[Opcode[name]](a, b)[:2] == low


@given(a=U64, b=U64)
def test_rotations_are_inverse(a: int, b: int) -> None:
    low, high = OPERATIONS[Opcode.ROTL64](a, b)
    back = OPERATIONS[Opcode.ROTR64](low | high << 32, b)
    assert back[0] | back[1] << 32 == a
