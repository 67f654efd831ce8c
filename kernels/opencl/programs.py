"""How random programs are made on the device (spec 1 §3.2; randgen.cl and program_decode.cl)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.tile import launch_shape
from packetcrypt.kernels.program import MAX_DEPTH, RECORD_DTYPE, Operand, Scope
from packetcrypt.protocol import opcodes, randgen
from packetcrypt.protocol.randhash import MEMORY_WORDS

#: program_t of program.cl: the header of a program.
#:
#: length       : number of its records; 0 if the program is too big
#: slots, longest_end, common_words, longest_path : see `DecodedProgram`
#: first_record : index of the first of its records
#:
#: The last three are found by decoding.
PROGRAM_DTYPE: Final = np.dtype(
    [
        ("length", "<u4"),
        ("slots", "<u4"),
        ("longest_end", "<u4"),
        ("first_record", "<u4"),
        ("common_words", "<u4"),
        ("longest_path", "<u4"),
    ]
)

_MEMORY_SIZE: Final = 4 * MEMORY_WORDS

#: Registers and MARKs that a program on the device may have at a time: as many as instruction words
#: can name. Of 30 000 programs none had more than 148; one with more counts as too big.
_MAX_SLOTS: Final = 512

_SEED_SIZE: Final = 32

#: Work-items of a GPU that fill a memory: one a block.
_GPU_MEMORY_PIECES: Final = _MEMORY_SIZE // 64


def program_defines() -> dict[str, int | str]:
    """What program.cl is told of the instructions."""
    classes = ("UNARY", "BINARY", "WIDENING", "BINARY64", "WIDENING64")
    defines: dict[str, int | str] = {
        "MEMORY_WORDS": MEMORY_WORDS,
        "MAX_INSTRUCTIONS": randgen.MAX_INSTRUCTIONS,
        "MAX_DEPTH": MAX_DEPTH,
        **{f"OP_{opcode.name}": int(opcode) for opcode in opcodes.Opcode},
        **{f"OPERAND_{operand.name}": int(operand) for operand in Operand},
        **{f"SCOPE_{scope.name}": int(scope) for scope in Scope},
    }
    for name in classes:
        operands: opcodes.OperandClass = getattr(opcodes, name)
        defines |= {
            f"{name}_FIRST": int(operands.opcodes[0]),
            f"{name}_SIZE": len(operands.opcodes),
            f"{name}_INPUTS": operands.inputs,
            f"{name}_OUTPUTS": operands.outputs,
            f"{name}_COST": operands.cost,
        }
    return defines


@dataclass(frozen=True)
class Programs:
    """n programs on a device.

    headers        : (n,) `PROGRAM_DTYPE`, without what is found by decoding
    device_headers : the same, complete
    memories       : of 8192 bytes a program, in this order
    records        : `RECORD_DTYPE`
    """

    headers: npt.NDArray[np.void]
    device_headers: cl.Buffer = field(repr=False)
    memories: cl.Buffer = field(repr=False)
    records: cl.Buffer = field(repr=False)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """(n,) whether each program is one: not too big."""
        valid: npt.NDArray[np.bool_] = self.headers["length"] > 0
        return valid


class ProgramGenerator:
    """Makes programs on one device.

    max_instructions : more are too many; tests lower it, because no seed of such a program is known
    """

    def __init__(
        self, context: DeviceContext, max_instructions: int = randgen.MAX_INSTRUCTIONS
    ) -> None:
        self._context = context
        defines = {**program_defines(), "MAX_INSTRUCTIONS": max_instructions}
        randgen_program = context.build(
            "randgen.cl",
            BUDGET=randgen.BUDGET,
            INPUT_COST=randgen.INPUT_COST,
            MEMORY_COST=randgen.MEMORY_COST,
            LOOP_COST=randgen.LOOP_COST,
            BRANCH_COST=randgen.BRANCH_COST,
            MAX_SLOTS=_MAX_SLOTS,
            **defines,
        )
        decode_program = context.build("program_decode.cl", **defines)
        self._generate = context.kernel(randgen_program, "randgen_programs")
        self._fill = context.kernel(randgen_program, "randgen_memories")
        self._decode = context.kernel(decode_program, "decode_programs")

    def begin(self, seeds: Sequence[bytes]) -> "ProgramsUnderWay":
        """Enqueue the making of the programs of one or more seeds of 32 bytes."""
        count = len(seeds)
        device_seeds = upload(self._context, np.frombuffer(b"".join(seeds), np.uint8))
        memories = allocate(self._context, _MEMORY_SIZE * count)
        device_headers = allocate(self._context, PROGRAM_DTYPE.itemsize * count)
        arguments = (device_seeds, memories, device_headers, np.uint32(count))
        queue, traits = self._context.queue, self._context.traits
        self._generate(queue, *launch_shape(traits, count), *arguments)
        headers = np.empty(count, PROGRAM_DTYPE)
        copied = self._context.copy_to_host(headers, device_headers)
        pieces = 1 if traits.is_cpu else _GPU_MEMORY_PIECES
        self._fill(queue, *launch_shape(traits, pieces * count), *arguments)
        return ProgramsUnderWay(self, copied, headers, device_headers, memories)

    def decode(
        self, headers: npt.NDArray[np.void], device_headers: cl.Buffer, memories: cl.Buffer
    ) -> Programs:
        """Enqueue the decoding of generated programs."""
        lengths = headers["length"]
        ends = np.cumsum(lengths)
        records = allocate(self._context, RECORD_DTYPE.itemsize * max(int(ends[-1]), 1))
        self._decode(
            self._context.queue,
            *launch_shape(self._context.traits, len(lengths)),
            memories,
            upload(self._context, (ends - lengths).astype(np.uint32)),
            device_headers,
            records,
            np.uint32(len(lengths)),
        )
        return Programs(headers, device_headers, memories, records)


@dataclass(frozen=True)
class ProgramsUnderWay:
    """Programs that the device is making."""

    generator: ProgramGenerator
    copied: cl.Event
    headers: npt.NDArray[np.void]
    device_headers: cl.Buffer
    memories: cl.Buffer

    def result(self) -> Programs:
        """Wait until it is known how long they are, and enqueue their decoding."""
        self.copied.wait()
        return self.generator.decode(self.headers, self.device_headers, self.memories)
