"""Programs made on the device against protocol/randgen.py and kernels/program.py."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.kernels.opencl.buffers import download
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.programs import PROGRAM_DTYPE, ProgramGenerator, Programs
from packetcrypt.kernels.program import RECORD_DTYPE, decode
from packetcrypt.protocol.randgen import generate
from packetcrypt.protocol.randhash import RandProgram

KNOWN_SEEDS = [bytes.fromhex(p["seed"])[:32] for p in load_vectors("randhash")["programs"]]


@pytest.fixture(scope="module")
def generator(context: DeviceContext) -> ProgramGenerator:
    return ProgramGenerator(context)


def made_up_seeds(first: int, count: int) -> list[bytes]:
    return [
        hashlib.blake2b(number.to_bytes(8, "little"), digest_size=32).digest()
        for number in range(first, first + count)
    ]


def fetch(
    context: DeviceContext, programs: Programs
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.uint32], npt.NDArray[np.void]]:
    """Headers, memories and records from the device."""
    headers = np.empty(len(programs.headers), PROGRAM_DTYPE)
    memories = np.empty((len(headers), 2048), np.uint32)
    records = np.empty(int(programs.headers["length"].sum()), RECORD_DTYPE)
    download(context, programs.device_headers, headers)
    download(context, programs.memories, memories)
    if len(records):
        download(context, programs.records, records)
    return headers, memories, records


def assert_like_protocol(
    context: DeviceContext, generator: ProgramGenerator, seeds: Sequence[bytes]
) -> None:
    """Byte for byte, seeds whose programs are valid."""
    programs = generator.begin(seeds).result()
    headers, memories, records = fetch(context, programs)
    plain = [decode(RandProgram.generate(seed)) for seed in seeds]
    assert programs.valid.all()
    assert headers["length"].tolist() == [len(program.records) for program in plain]
    for name in ("slots", "longest_end"):
        assert programs.headers[name].tolist() == [getattr(program, name) for program in plain]
    for name in ("common_words", "longest_path"):
        assert headers[name].tolist() == [getattr(program, name) for program in plain]
    assert memories.tobytes() == b"".join(program.memory.tobytes() for program in plain)
    ends = np.cumsum(headers["length"])
    assert headers["first_record"].tolist() == [0, *ends[:-1].tolist()]
    assert records.tobytes() == b"".join(program.records.tobytes() for program in plain)


def test_known_programs(context: DeviceContext, generator: ProgramGenerator) -> None:
    assert_like_protocol(context, generator, KNOWN_SEEDS)


@pytest.mark.parametrize("first", [0, 100])
def test_many_programs(context: DeviceContext, generator: ProgramGenerator, first: int) -> None:
    """Of 20 000 such seeds all were equal, when that was tried once."""
    assert_like_protocol(context, generator, made_up_seeds(first, 100))


@settings(max_examples=15, deadline=None)
@given(seeds=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5))
def test_any_seeds(context: DeviceContext, generator: ProgramGenerator, seeds: list[bytes]) -> None:
    assert_like_protocol(context, generator, seeds)


def test_programs_over_the_limit_are_too_big(context: DeviceContext) -> None:
    """No seed of a program of more than 2048 instructions is known, so the limit is lowered."""
    limit = 150
    generator = ProgramGenerator(context, max_instructions=limit)
    seeds = made_up_seeds(0, 60)
    programs = generator.begin(seeds).result()
    lengths = [len(generate(seed)) for seed in seeds]
    assert limit in range(min(lengths), max(lengths))
    assert programs.valid.tolist() == [length <= limit for length in lengths]
    headers, _, records = fetch(context, programs)
    kept = [length if length <= limit else 0 for length in lengths]
    assert headers["length"].tolist() == kept
    fitting = [seed for seed, length in zip(seeds, lengths, strict=True) if length <= limit]
    plain = b"".join(decode(RandProgram.generate(seed)).records.tobytes() for seed in fitting)
    assert records.tobytes() == plain


@pytest.mark.parametrize("off", [0, 1])
def test_a_program_of_exactly_the_limit_is_valid(context: DeviceContext, off: int) -> None:
    (seed,) = made_up_seeds(7, 1)
    generator = ProgramGenerator(context, max_instructions=len(generate(seed)) - off)
    assert generator.begin([seed]).result().valid.tolist() == [off == 0]


def test_all_programs_may_be_too_big(context: DeviceContext) -> None:
    generator = ProgramGenerator(context, max_instructions=10)
    assert not generator.begin(made_up_seeds(0, 3)).result().valid.any()
