"""The array operations against the ones of protocol/operations.py, which work on one item."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from packetcrypt.kernels.numpy.operations import OPERATIONS
from packetcrypt.protocol import operations as plain
from packetcrypt.protocol.opcodes import CLASS_OF, Opcode

EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
EDGES64 = [low | high << 32 for low in EDGES for high in EDGES]


def assert_agree(opcode: Opcode, a: np.ndarray, b: np.ndarray) -> None:
    results = OPERATIONS[opcode](a, b)
    words = np.atleast_2d(results)
    if words.dtype == np.uint64:
        words = np.concatenate([[row & 0xFFFFFFFF, row >> np.uint64(32)] for row in words])
    expected = [plain.OPERATIONS[opcode](x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert [tuple(column) for column in words.T.tolist()] == expected


def operand_dtype(opcode: Opcode) -> type:
    return np.uint64 if CLASS_OF[opcode].inputs == 4 else np.uint32


@pytest.mark.parametrize("opcode", CLASS_OF, ids=lambda opcode: opcode.name)
def test_every_pair_of_edge_values(opcode: Opcode) -> None:
    dtype = operand_dtype(opcode)
    values = np.array(EDGES64[::7] if dtype is np.uint64 else EDGES, dtype)
    a, b = (np.ascontiguousarray(grid.reshape(-1)) for grid in np.meshgrid(values, values))
    assert_agree(opcode, a, b)


@settings(max_examples=300)
@given(st.data())
def test_random_operands(data: st.DataObject) -> None:
    opcode = data.draw(st.sampled_from(list(CLASS_OF)))
    dtype = operand_dtype(opcode)
    a, b = (data.draw(arrays(dtype, 5)) for _ in range(2))
    assert_agree(opcode, a, b)


@pytest.mark.parametrize("opcode", CLASS_OF, ids=lambda opcode: opcode.name)
def test_operands_are_left_alone(opcode: Opcode) -> None:
    operand = np.arange(8, dtype=operand_dtype(opcode)) * 0x1234567
    before = operand.copy()
    OPERATIONS[opcode](operand, operand)
    assert (operand == before).all()
