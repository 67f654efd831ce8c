"""Which items of which tables a launch computes (spec 1 §3.3; host side of randhash.cl)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from packetcrypt.kernels.opencl.tile import BundleLayout, TileLayout, launch_shape
from packetcrypt.protocol.announcement_job import TableSeeds
from packetcrypt.protocol.randgen import MAX_INSTRUCTIONS
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
    """Computes table items on one device.

    max_instructions : programs of more are too big; tests lower it (see `ProgramGenerator`)
    """

    def __init__(self, context: DeviceContext, max_instructions: int = MAX_INSTRUCTIONS) -> None:
        self._context = context
        self._generator = ProgramGenerator(context, max_instructions)
        self._states = InitialStates(context)
        self._tile = TileLayout.of(context.traits)
        self._bundle = BundleLayout.of(context.traits)
        self._bundles = _ProgramRuns(context, self._bundle, self._tile)
        self._singles: _ProgramRuns | None = None
        if self._bundle.items > 1:
            self._singles = _ProgramRuns(context, BundleLayout.single(), self._tile)
        crypt = context.build("crypt_items.cl", **self._tile.defines)
        self._crypt = context.kernel(crypt, "crypt_items")
        self._tiles: cl.Buffer | None = None

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
    ) -> cl.Event:
        """Enqueue the making of n items: row r becomes item `numbers`[r]. Returns its end.

        tables   : (n,) of which table each row is; rows of a table are neighbours
        first    : the row of tables[0]
        numbers  : uint32 item numbers
        rows     : of 1024 bytes
        too_long : uint8 for every row: 1 if its program ran too long; then the row is arbitrary
        """
        tiles = -(-len(tables) // self._tile.items)
        states = self._reserve_tiles(tiles)
        tasks = _tasks(tables, self._bundle.items)
        if self._singles is not None:
            alone = tasks["items"] == 1
            if alone.any():
                self._singles.enqueue(loaded, tasks[alone], numbers, too_long, first, states)
            tasks = tasks[~alone]
        if len(tasks):
            self._bundles.enqueue(loaded, tasks, numbers, too_long, first, states)
        return self._crypt(
            self._context.queue,
            *launch_shape(self._context.traits, tiles),
            states,
            rows,
            np.uint32(first),
            np.uint32(len(tables)),
        )

    def _reserve_tiles(self, tiles: int) -> cl.Buffer:
        """Room for the states of so many tiles."""
        size = tiles * self._tile.space
        if self._tiles is None or self._tiles.size < size:
            self._tiles = allocate(self._context, size)
        return self._tiles


class _ProgramRuns:
    """randhash_items, built for bundles of one size."""

    def __init__(self, context: DeviceContext, bundle: BundleLayout, tile: TileLayout) -> None:
        self._context = context
        self._bundle = bundle
        program = context.build(
            "randhash.cl",
            MAX_EXECUTED=MAX_EXECUTED,
            **bundle.defines,
            **tile.defines,
            **program_defines(),
        )
        self._kernel = context.kernel(program, "randhash_items")
        self._scratch: cl.Buffer | None = None
        self._scratch_size = 0

    def enqueue(
        self,
        loaded: LoadedTables,
        tasks: npt.NDArray[np.void],
        numbers: cl.Buffer,
        too_long: cl.Buffer,
        first_item: int,
        tiles: cl.Buffer,
    ) -> None:
        """Enqueue the tasks; arguments as in randhash.cl."""
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
            too_long,
            np.uint32(first_item),
            tiles,
            self._scratch,
            np.uint64(size),
            np.uint32(loaded.slots),
            np.uint32(loaded.target_words),
        )

    def _reserve_scratch(self, loaded: LoadedTables, work_items: int) -> int:
        """Make the scratch buffer large enough; returns the bytes of one work-item."""
        words = _ARRAY_WORDS + loaded.slots + loaded.target_words
        size = -(-4 * self._bundle.items * words // _ALIGNMENT) * _ALIGNMENT
        neighbours = self._bundle.neighbours
        needed = size * -(-work_items // neighbours) * neighbours
        if needed > self._scratch_size:
            self._scratch_size = needed
            self._scratch = allocate(self._context, self._scratch_size)
        return size


def _tasks(tables: npt.NDArray[np.integer], bundle: int) -> npt.NDArray[np.void]:
    """Cut rows into tasks of at most `bundle` items of one table (see `RandHash.run`)."""
    if len(tables) and tables[0] == tables[-1]:  # preparing jobs asks for nothing else, and often
        tasks = _tasks_of_one_table(len(tables), bundle).copy()
        tasks["table"] = tables[0]
        return tasks
    return _cut(tables, bundle)


@lru_cache(maxsize=16)
def _tasks_of_one_table(rows: int, bundle: int) -> npt.NDArray[np.void]:
    return _cut(np.zeros(rows, np.intp), bundle)


def _cut(tables: npt.NDArray[np.integer], bundle: int) -> npt.NDArray[np.void]:
    starts = np.flatnonzero(np.diff(tables, prepend=-1))
    lengths = np.diff(starts, append=len(tables))
    pieces = -(-lengths // bundle)
    begin = np.repeat(starts, pieces)
    # position of each task among those of its table
    piece = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    tasks = np.empty(len(begin), TASK_DTYPE)
    tasks["table"] = tables[begin]
    tasks["first"] = begin + bundle * piece
    tasks["items"] = np.minimum(np.repeat(lengths, pieces) - bundle * piece, bundle)
    return tasks
