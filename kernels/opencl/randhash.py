"""Which items of which tables a launch computes (spec 1 §3.3; host side of randhash.cl)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.tile import TileLayout, launch_shape
from packetcrypt.kernels.program import MAX_DEPTH, DecodedProgram, Scope
from packetcrypt.protocol.cryptocycle import init
from packetcrypt.protocol.opcodes import Opcode
from packetcrypt.protocol.randhash import MAX_EXECUTED

#: task_t of randhash.cl
TASK_DTYPE = np.dtype(
    [
        ("records", "<u4"),
        ("length", "<u4"),
        ("slots", "<u4"),
        ("common_words", "<u4"),
        ("count_words", "<u4"),
        ("memory", "<u4"),
        ("state", "<u4"),
        ("first", "<u4"),
        ("items", "<u4"),
    ]
)

# The scratch space of a work-item, as randhash.cl divides it.
_ARRAY_WORDS = 256
_ALIGNMENT = 64

#: Words by which END writes past the last register: the output is added in whole vectors.
_OVERHANG = 16


@dataclass(frozen=True)
class Table:
    """What makes a table: a program, and the 32-byte seed of its items' states."""

    program: DecodedProgram
    items_seed: bytes


class LoadedTables:
    """Programs, memories and initial states of some tables on the device, as tasks refer to them.

    tables : in the order of the indexes that `RandHash.run` is given
    """

    def __init__(self, context: DeviceContext, tables: Sequence[Table]) -> None:
        self.tables = list(tables)
        programs = [table.program for table in self.tables]
        lengths = [len(program.records) for program in programs]
        self.layout = np.zeros(len(programs), TASK_DTYPE)
        self.layout["records"] = np.cumsum([0, *lengths[:-1]])
        self.layout["length"] = lengths
        self.layout["slots"] = [program.slots for program in programs]
        self.layout["common_words"] = [program.common_words for program in programs]
        self.layout["count_words"] = [program.may_run_too_long for program in programs]
        self.layout["memory"] = self.layout["state"] = np.arange(len(programs))
        #: greatest needs of any of the programs
        self.slots = max(program.slots for program in programs) + 2  # two for immediates
        self.target_words = _ARRAY_WORDS + max(program.longest_end for program in programs)
        self.target_words += _OVERHANG
        #: whether `RandHash.run` can find items whose programs run too long
        self.may_run_too_long = any(program.may_run_too_long for program in programs)

        states = np.frombuffer(
            b"".join(init(table.items_seed, 0) for table in self.tables), np.uint32
        )
        self.records = upload(context, np.concatenate([p.records for p in programs]))
        self.memories = upload(context, np.concatenate([p.memory for p in programs]))
        self.states = upload(context, states)


class RandHash:
    """Computes table items on one device."""

    def __init__(self, context: DeviceContext) -> None:
        self._context = context
        self._tile = TileLayout.of(context.traits)
        program = context.build(
            "randhash.cl",
            MAX_EXECUTED=MAX_EXECUTED,
            MAX_DEPTH=MAX_DEPTH,
            **self._tile.defines,
            **{f"OP_{opcode.name}": int(opcode) for opcode in Opcode},
            **{f"SCOPE_{scope.name}": int(scope) for scope in Scope},
        )
        self._kernel = context.kernel(program, "randhash_items")
        self._scratch: cl.Buffer | None = None
        self._scratch_size = 0

    def tasks(
        self,
        loaded: LoadedTables,
        tables: npt.NDArray[np.integer],
        first: int = 0,
    ) -> npt.NDArray[np.void]:
        """Cut rows into tasks.

        tables : (n,) for each row the index of its table, rows of a table being neighbours
        first  : row of tables[0]
        """
        starts = np.flatnonzero(np.diff(tables, prepend=-1))
        lengths = np.diff(starts, append=len(tables))
        tile = self._tile.items
        pieces = -(-lengths // tile)
        begin = np.repeat(starts, pieces)
        # position of each task among those of its table
        piece = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        tasks: npt.NDArray[np.void] = loaded.layout[tables[begin]]
        tasks["first"] = first + begin + tile * piece
        tasks["items"] = np.minimum(np.repeat(lengths, pieces) - tile * piece, tile)
        return tasks

    def run(
        self,
        loaded: LoadedTables,
        tasks: npt.NDArray[np.void],
        numbers: cl.Buffer,
        rows: cl.Buffer,
        too_long: cl.Buffer,
    ) -> None:
        """Enqueue the tasks: `rows` row r becomes item `numbers`[r] of its task's table.

        numbers  : uint32 item numbers
        rows     : of 1024 bytes
        too_long : uint8 for every row: 1 if its program ran too long; then the row is arbitrary
        """
        traits = self._context.traits
        shape = launch_shape(
            traits, min(len(tasks), traits.compute_units) if traits.is_cpu else len(tasks)
        )
        size = self._reserve_scratch(loaded, shape[0][0])
        self._kernel(
            self._context.queue,
            *shape,
            upload(self._context, tasks),
            np.uint32(len(tasks)),
            loaded.records,
            loaded.memories,
            loaded.states,
            numbers,
            rows,
            too_long,
            self._scratch,
            np.uint64(size),
            np.uint32(loaded.slots),
            np.uint32(loaded.target_words),
        )

    def _reserve_scratch(self, loaded: LoadedTables, work_items: int) -> int:
        """Make the scratch buffer large enough; returns the bytes of one work-item."""
        words = _ARRAY_WORDS + loaded.slots + loaded.target_words
        size = self._tile.states_end + 4 * self._tile.items * words
        size = -(-size // _ALIGNMENT) * _ALIGNMENT
        if size * work_items > self._scratch_size:
            self._scratch_size = size * work_items
            self._scratch = allocate(self._context, self._scratch_size)
        return size
