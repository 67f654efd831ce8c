"""Which items of which tables a launch computes (spec 1 §3.3; host side of randhash.cl)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.buffers import allocate, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.initial_states import InitialStates
from packetcrypt.kernels.opencl.programs import (
    ProgramGenerator,
    Programs,
    ProgramsUnderWay,
    program_defines,
)
from packetcrypt.kernels.opencl.tile import TileLayout, launch_shape
from packetcrypt.protocol.announcement_job import TableSeeds
from packetcrypt.protocol.randhash import MAX_EXECUTED

#: task_t of randhash.cl
TASK_DTYPE: Final = np.dtype([("table", "<u4"), ("first", "<u4"), ("items", "<u4")])

# The scratch space of a work-item, as randhash.cl divides it.
_ARRAY_WORDS: Final = 256
_ALIGNMENT: Final = 64

#: Words by which END writes past the last register: the output is added in whole vectors.
_OVERHANG: Final = 16

#: Slots that immediates are written to.
_IMMEDIATE_SLOTS: Final = 2


@dataclass(frozen=True)
class LoadedTables:
    """n tables on the device, of which items can be made.

    programs : theirs; `programs.valid` says which tables exist
    states   : of 2048 bytes, that of item 0 of each table
    """

    programs: Programs
    states: cl.Buffer

    @property
    def slots(self) -> int:
        """Words of registers that an item needs."""
        return int(self.programs.headers["slots"].max()) + _IMMEDIATE_SLOTS

    @property
    def target_words(self) -> int:
        """Words of output that an item needs before it is wrapped around."""
        return _ARRAY_WORDS + int(self.programs.headers["longest_end"].max()) + _OVERHANG


@dataclass(frozen=True)
class TablesUnderWay:
    """Tables whose programs the device is making."""

    programs: ProgramsUnderWay
    states: cl.Buffer

    def result(self) -> LoadedTables:
        """Wait for the programs."""
        return LoadedTables(self.programs.result(), self.states)


class RandHash:
    """Computes table items on one device."""

    def __init__(self, context: DeviceContext) -> None:
        self._generator = ProgramGenerator(context)
        self._states = InitialStates(context)
        self._items = _ItemKernel(context, TileLayout.of(context.traits))

    def begin(self, tables: Sequence[TableSeeds]) -> TablesUnderWay:
        """Enqueue the making of the programs and states of one or more tables."""
        programs = self._generator.begin([seeds.program for seeds in tables])
        return TablesUnderWay(programs, self._states.make([seeds.items for seeds in tables]))

    def run(
        self,
        loaded: LoadedTables,
        tables: npt.NDArray[np.integer],
        numbers: cl.Buffer,
        rows: cl.Buffer,
        too_long: cl.Buffer,
        first: int = 0,
    ) -> None:
        """Enqueue the making of n items: row r becomes item `numbers`[r].

        tables   : (n,) of which table each row is; rows of a table are neighbours
        first    : the row of tables[0]
        numbers  : uint32 item numbers
        rows     : of 1024 bytes
        too_long : uint8 for every row: 1 if its program ran too long; then the row is arbitrary
        """
        self._items.run(loaded, tables, numbers, rows, too_long, first)


class _ItemKernel:
    """randhash_items, built for one size of tiles."""

    def __init__(self, context: DeviceContext, tile: TileLayout) -> None:
        self._context = context
        self._tile = tile
        program = context.build(
            "randhash.cl", MAX_EXECUTED=MAX_EXECUTED, **tile.defines, **program_defines()
        )
        self._kernel = context.kernel(program, "randhash_items")
        self._scratch: cl.Buffer | None = None
        self._scratch_size = 0

    def run(
        self,
        loaded: LoadedTables,
        tables: npt.NDArray[np.integer],
        numbers: cl.Buffer,
        rows: cl.Buffer,
        too_long: cl.Buffer,
        first: int,
    ) -> None:
        tasks = _tasks(tables, first, self._tile.items)
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
            loaded.programs.device_headers,
            loaded.programs.records,
            loaded.programs.memories,
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


def _tasks(tables: npt.NDArray[np.integer], first: int, tile: int) -> npt.NDArray[np.void]:
    """Cut rows into tasks of at most `tile` items of one table (see `RandHash.run`)."""
    starts = np.flatnonzero(np.diff(tables, prepend=-1))
    lengths = np.diff(starts, append=len(tables))
    pieces = -(-lengths // tile)
    begin = np.repeat(starts, pieces)
    # position of each task among those of its table
    piece = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    tasks = np.empty(len(begin), TASK_DTYPE)
    tasks["table"] = tables[begin]
    tasks["first"] = first + begin + tile * piece
    tasks["items"] = np.minimum(np.repeat(lengths, pieces) - tile * piece, tile)
    return tasks
