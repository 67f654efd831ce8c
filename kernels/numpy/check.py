"""How a batch of announcements is validated (spec 1 §4 "Validation").

Announcements of one job share two random programs, but the states of all announcements of a batch
go through the updates together. An announcement drops out where its verdict is clear, in the order
of protocol/validation.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.check_plan import CheckGroup, meet_targets, needed_items, plan_checks
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.kernels.numpy import randhash
from packetcrypt.kernels.numpy.cryptocycle import empty_states, init, item_numbers
from packetcrypt.kernels.numpy.merkle import HASH_WORDS, branch_roots
from packetcrypt.kernels.numpy.search import (
    BEYOND_ITEM,
    WHOLE,
    WORK_HASH_WORDS,
    encrypt,
    work_hashes,
)
from packetcrypt.kernels.numpy.workspace import Runner, Task, Workspace
from packetcrypt.kernels.program import DecodedProgram
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE, TABLE_SIZE
from packetcrypt.protocol.announcement_job import TableSeeds
from packetcrypt.protocol.cryptocycle import ITEM_SIZE
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randhash import RandProgram, item
from packetcrypt.protocol.validation import UPDATES, AnnouncementCheck

#: So many items of one table are as fast in plain Python, one by one, as interpreted together.
_FEW_ITEMS = 4

#: Announcements, or items of one table, that a thread takes at a time.
_PIECE = 1024

U8s = npt.NDArray[np.uint8]
U64s = npt.NDArray[np.uint64]
Indexes = npt.NDArray[np.intp]


def check(
    announcements: U8s, parent_hashes: U8s, programs: ProgramCache, run: Runner
) -> CheckedAnnouncements:
    """Validate (n, 1024) announcements against (n, 32) parent block hashes; `run` does the work."""
    announcements = np.ascontiguousarray(announcements)
    plan = plan_checks(announcements, parent_hashes)
    results = plan.results.copy()
    hashes = np.zeros((len(results), WORK_HASH_WORDS), np.uint64)
    if plan.groups:
        members = np.concatenate([group.members for group in plan.groups])
        checks = _Checks(
            announcements[members], plan.soft_nonces[members], plan.groups, programs, run
        )
        checks.run()
        results[members], hashes[members] = checks.results, checks.hashes
    return CheckedAnnouncements(results, hashes.view(np.uint8), _keys(announcements, run))


def _keys(announcements: U8s, run: Runner) -> U64s:
    keys = np.empty(len(announcements), np.uint64)

    def task(workspace: Workspace) -> None:
        keys[:] = workspace.blake.digests(announcements.view(np.uint64), 32)[0]

    run([task])
    return keys


class _Checks:
    """The checks that need hashing, of m announcements ordered by group.

    results : (m,) uint8 of `AnnouncementCheck`
    hashes  : (m, 4) uint64, the work hashes, zeros where a random program is invalid
    """

    def __init__(
        self,
        announcements: U8s,
        soft_nonces: npt.NDArray[np.uint32],
        groups: list[CheckGroup],
        programs: ProgramCache,
        run: Runner,
    ) -> None:
        self._announcements = announcements
        self._groups = groups
        self._owners = np.repeat(np.arange(len(groups)), [len(group.members) for group in groups])
        self._programs = programs
        self._run = run
        self._states = empty_states(len(announcements))
        for number, group in enumerate(groups):
            mine = slice(*np.searchsorted(self._owners, [number, number + 1]))
            init(self._states[mine], group.search_seed, soft_nonces[mine])
        self.results = np.full(len(announcements), AnnouncementCheck.OK, np.uint8)
        self.hashes = np.zeros((len(announcements), WORK_HASH_WORDS), np.uint64)

    def run(self) -> None:
        """Find `results` and `hashes`."""
        everyone = np.arange(len(self.results))
        numbers, computable = self._final_states()
        self._states[:, :WORK_HASH_WORDS] = self.hashes
        encrypt(self._announcements, self._states)
        records = self._announcements.view(ANNOUNCEMENT_DTYPE).reshape(-1)

        self._fail(everyone[~computable], AnnouncementCheck.INVAL)
        self.hashes[~computable] = 0
        self._fail(np.flatnonzero(records["prefix"].any(axis=1)), AnnouncementCheck.INVAL_ITEM4)
        undecided = np.flatnonzero(self.results == AnnouncementCheck.OK)
        self._check_branches(undecided, numbers[undecided], records[undecided])
        met = meet_targets(self.hashes.view(np.uint8), records["work_bits"])
        self._fail(everyone[~met], AnnouncementCheck.INSUF_POW)

    def _fail(self, members: Indexes, verdict: AnnouncementCheck) -> None:
        """The verdict on those of `members` that have not failed before."""
        undecided = members[self.results[members] == AnnouncementCheck.OK]
        self.results[undecided] = verdict

    def _final_states(self) -> tuple[Indexes, npt.NDArray[np.bool_]]:
        """Put the states through the updates and hash them.

        Returns the last item number of each, and whether all its items could be computed.
        """
        seeds = [group.table1 for group in self._groups]
        computable = np.ones(len(self._states), np.bool_)
        for left in reversed(range(UPDATES)):
            numbers = item_numbers(self._states, TABLE_SIZE)
            made = self._items(seeds, self._owners, numbers)
            computable &= made.computable[made.inverse]
            self._update(made, BEYOND_ITEM if left else WHOLE)
        self._hash()
        return numbers, computable

    def _update(self, made: "_Items", visible: tuple[int, int]) -> None:
        def task(rows: slice, workspace: Workspace) -> None:
            workspace.cycle.update(self._states[rows], made.items, made.inverse[rows], visible)

        self._run([partial(task, rows) for rows in _pieces(len(self._states))])

    def _hash(self) -> None:
        def task(rows: slice, workspace: Workspace) -> None:
            self.hashes[rows] = work_hashes(workspace.blake, self._states[rows])

        self._run([partial(task, rows) for rows in _pieces(len(self._states))])

    def _check_branches(
        self, members: Indexes, numbers: Indexes, records: npt.NDArray[np.void]
    ) -> None:
        """Fail those members whose Merkle branch does not lead from their item to the root."""
        seeds = [group.table0 for group in self._groups]
        made = self._items(seeds, self._owners[members], numbers)
        siblings = records["siblings"].view(np.uint64)
        roots = np.empty((len(members), HASH_WORDS), np.uint64)

        def task(workspace: Workspace) -> None:
            leaves = np.ascontiguousarray(workspace.blake.digests(made.items, 64).T)[made.inverse]
            roots[:] = branch_roots(leaves, numbers, siblings, workspace.blake)

        self._run([task])
        computable = made.computable[made.inverse]
        matches = (roots.view(np.uint8) == records["root"]).all(axis=1)
        self._fail(members[~(computable & matches)], AnnouncementCheck.INVAL)
        # The referee has no work hash to show when it meets an invalid program, whichever it is.
        self.hashes[members[~computable]] = 0

    def _items(self, seeds: list[TableSeeds], owners: Indexes, numbers: Indexes) -> "_Items":
        """The items that announcements of groups `owners` ask for from the tables of `seeds`."""
        needed = needed_items(owners.astype(np.int64), numbers.astype(np.uint64))
        items = np.empty((len(needed.numbers), ITEM_SIZE // 8), np.uint64)
        computable = np.ones(len(items), np.bool_)
        tasks: list[Task] = []
        bounds = np.searchsorted(needed.groups, np.arange(len(seeds) + 1))
        for seed, begin, end in zip(seeds, bounds, bounds[1:], strict=False):
            for rows in _pieces(int(end), int(begin)):
                program = self._programs.get(seed.program)
                if program is None:
                    computable[rows] = False
                    continue
                wanted = needed.numbers[rows].astype(np.intp)
                tasks.append(
                    partial(_make, program, seed.items, wanted, items[rows], computable[rows])
                )
        self._run(tasks)
        return _Items(items, needed.inverse, computable)


@dataclass(frozen=True)
class _Items:
    """Items for m states.

    items      : (u, 128) uint64, different ones
    inverse    : (m,) which of them is whose
    computable : (u,) bool; where not, the random program is invalid
    """

    items: U64s
    inverse: Indexes
    computable: npt.NDArray[np.bool_]


def _pieces(end: int, begin: int = 0) -> Iterator[slice]:
    return (slice(i, min(i + _PIECE, end)) for i in range(begin, end, _PIECE))


def _make(
    program: DecodedProgram,
    seed: bytes,
    numbers: Indexes,
    out: U64s,
    computable: npt.NDArray[np.bool_],
    workspace: Workspace,
) -> None:
    """Make items into `out`, and say which could be computed."""
    if len(numbers) > _FEW_ITEMS:
        out[:], too_long = randhash.items(program, seed, numbers, workspace.cycle)
        computable[:] = ~too_long
        return
    memory = tuple(program.memory.tolist())
    plain = RandProgram(program.seed, memory[: len(program.records)], memory)
    for row, number in enumerate(numbers.tolist()):
        try:
            out[row] = np.frombuffer(item(number, seed, plain), np.uint64)
        except ProgramError:
            computable[row] = False
