"""Table items in OpenCL against randhash.json and protocol/randhash.py."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencl_tables import load_tables
from randhash_assembly import (
    END,
    branch,
    load_input,
    loop,
    memory,
    operation,
    operation_immediate,
    operation_pattern,
    program,
)
from vector_files import load_vectors

from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.randhash import RandHash
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.opcodes import CLASS_OF, Opcode
from packetcrypt.protocol.randhash import RandProgram, item

ITEMS_SEED = hashlib.blake2b(b"items", digest_size=32).digest()

#: Operands at which something happens: carries, signs, lanes of every width, shifts.
EDGES = (
    *(0, 1, 7, 8, 15, 16, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF),
    *(0x10000, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF),
    *(0x01020304, 0x80FF7F00, 0x7F80FF01, 0xFF00FF00, 0x00FF00FF, 0xDEADBEEF, 0x55555555),
)

#: A memory in which windows one word apart hold other pairs of edges.
EDGE_MEMORY = tuple(EDGES[(i * i + i // 31) % len(EDGES)] for i in range(2048))


@pytest.fixture(scope="session")
def randhash(context: DeviceContext) -> RandHash:
    return RandHash(context)


def make_items(
    context: DeviceContext,
    randhash: RandHash,
    words: RandProgram,
    numbers: Sequence[int],
    seed: bytes = ITEMS_SEED,
) -> tuple[list[bytes], list[bool]]:
    """Items of one table, and whether they ran too long."""
    loaded = load_tables(context, [(words, seed)])
    rows = np.empty((len(numbers), 1024), np.uint8)
    flags = np.empty(len(numbers), np.uint8)
    row_buffer, flag_buffer = allocate(context, rows.nbytes), allocate(context, flags.nbytes)
    number_buffer = upload(context, np.array(numbers, np.uint32))
    one_table = np.zeros(len(numbers), np.intp)
    randhash.run(loaded, one_table, number_buffer, row_buffer, flag_buffer)
    download(context, row_buffer, rows)
    download(context, flag_buffer, flags)
    return [row.tobytes() for row in rows], [bool(flag) for flag in flags]


def assert_like_protocol(
    context: DeviceContext, randhash: RandHash, words: RandProgram, numbers: Sequence[int]
) -> None:
    items, too_long = make_items(context, randhash, words, numbers)
    assert items == [item(number, ITEMS_SEED, words) for number in numbers]
    assert not any(too_long)


@pytest.mark.parametrize(
    "known", load_vectors("randhash")["programs"], ids=lambda known: known["seed"][:8]
)
def test_known_items(context: DeviceContext, randhash: RandHash, known: dict[str, object]) -> None:
    seeds = bytes.fromhex(str(known["seed"]))
    digests = known["items"]
    assert isinstance(digests, dict)
    numbers = [int(number) for number in digests]
    words = RandProgram.generate(seeds[:32])
    items, _ = make_items(context, randhash, words, numbers, seeds[32:])
    assert [hashlib.blake2b(i, digest_size=32).hexdigest() for i in items] == [*digests.values()]


@settings(max_examples=6, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    numbers=st.lists(st.integers(0, 8191), min_size=1, max_size=5),
    first=st.integers(0, 8000),
)
def test_random_programs(
    context: DeviceContext, randhash: RandHash, seed: bytes, numbers: list[int], first: int
) -> None:
    """A few scattered items, and neighbours that fill tiles, of which some are looked at."""
    words = RandProgram.generate(seed)
    assert_like_protocol(context, randhash, words, numbers)
    neighbours = range(first, first + 70)
    items, _ = make_items(context, randhash, words, neighbours)
    for index in (0, 15, 31, 32, 63, 69):
        assert items[index] == item(neighbours[index], ITEMS_SEED, words)


@pytest.mark.parametrize("opcode", CLASS_OF, ids=lambda opcode: opcode.name)
def test_operations_on_edges(context: DeviceContext, randhash: RandHash, opcode: Opcode) -> None:
    """Of registers, of small immediates and of patterns; every item has other operands."""
    words = program(
        loop(3),
        *(memory(base, step=5) for base in (0, 40, 91, 137)),
        operation(opcode, 2, 4),
        operation(opcode, 4, 2),
        operation_immediate(opcode, 3, 13),
        operation_immediate(opcode, 3, -1),
        operation_pattern(opcode, 2, 0b1_0_00101_10001),
        operation_pattern(opcode, 2, 0b0_1_11111_00000),
        memory_words=EDGE_MEMORY,
    )
    assert_like_protocol(context, randhash, words, [*range(0, 300, 3), 1790, 1791, 1792, 8191])


#: Programs of every shape, by what is special about them. Register 1 differs from item to item.
SHAPES = {
    "no output": program(loop(1)),
    "empty arms": program(loop(5), memory(3, 1), *branch(Opcode.IF_RANDOM, 1, [], [])),
    "one arm": program(
        loop(5), memory(3, 1), *branch(Opcode.IF_LIKELY, 1, [load_input(1)], []), load_input(2)
    ),
    "arms of different lengths": program(
        loop(60),
        memory(3, 7),
        *branch(
            Opcode.IF_RANDOM,
            1,
            [load_input(i) for i in range(19)],
            [load_input(200), load_input(1)],
        ),
        operation(Opcode.MUL32C, 1, 1),
    ),
    "arms in arms in loops": program(
        loop(9),
        memory(3, 7),
        *branch(
            Opcode.IF_RANDOM,
            1,
            [
                loop(3),
                memory(50, 2),
                *branch(Opcode.IF_RANDOM, 4, [load_input(9)], [loop(2), load_input(8), END]),
                END,
            ],
            [
                *(load_input(7), load_input(8)),
                *branch(Opcode.IF_LIKELY, 3, [operation(Opcode.ADD64, 4, 4)], [load_input(6)]),
            ],
        ),
    ),
    "more registers than output words": program(loop(2), *(load_input(i) for i in range(300))),
    "a memory that wraps around": program(loop(200), memory(255, 15, 15), memory(1, 15, 1)),
    "an arm that no item takes": program(
        loop(2),
        load_input(0),
        operation_immediate(Opcode.AND, 1, 0),
        *branch(Opcode.IF_LIKELY, 2, [load_input(5)], [load_input(6)]),
        operation_immediate(Opcode.OR, 1, 1),
        *branch(Opcode.IF_RANDOM, 3, [load_input(5)], [load_input(6)]),
    ),
}


@pytest.mark.parametrize("words", SHAPES.values(), ids=SHAPES.keys())
def test_shapes(context: DeviceContext, randhash: RandHash, words: RandProgram) -> None:
    assert_like_protocol(context, randhash, words, [*range(1780, 1845), 0, 8191])


def test_items_that_run_too_long_are_told_from_those_that_do_not(
    context: DeviceContext, randhash: RandHash
) -> None:
    long_arm = [load_input(i) for i in range(6)]
    words = program(loop(2047), memory(0), *branch(Opcode.IF_RANDOM, 1, long_arm, []))
    numbers = range(10)
    items, too_long = make_items(context, randhash, words, numbers)
    assert 0 < sum(too_long) < len(numbers)
    for number in numbers:
        if too_long[number]:
            with pytest.raises(ProgramError, match="too long"):
                item(number, ITEMS_SEED, words)
        else:
            assert items[number] == item(number, ITEMS_SEED, words)


def test_tables_are_computed_in_one_launch(context: DeviceContext, randhash: RandHash) -> None:
    programs = [RandProgram.generate(bytes([number]) * 32) for number in range(3)]
    seeds = [bytes([99 - number]) * 32 for number in range(3)]
    loaded = load_tables(context, [*zip(programs, seeds, strict=True)])
    owners = np.repeat(np.arange(3), [33, 1, 70])
    numbers = np.arange(len(owners), dtype=np.uint32) * 77
    rows: npt.NDArray[np.uint8] = np.empty((len(owners), 1024), np.uint8)
    row_buffer = allocate(context, rows.nbytes)
    number_buffer, flag_buffer = upload(context, numbers), allocate(context, len(rows))
    randhash.run(loaded, owners, number_buffer, row_buffer, flag_buffer)
    download(context, row_buffer, rows)
    for row in (0, 32, 33, 34, 65, 66, 103):
        owner = int(owners[row])
        expected = item(int(numbers[row]), seeds[owner], programs[owner])
        assert rows[row].tobytes() == expected
