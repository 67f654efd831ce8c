"""In which order a device validates a batch of announcements (spec 1 §4 "Validation").

All announcements go through the four updates together. Before each update the states say which
items they need, and the distinct ones are computed, in one launch for all random programs.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.check_plan import CheckGroup, CheckPlan, meet_targets, plan_checks
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.kernels.opencl.check_items import TableItems
from packetcrypt.kernels.opencl.check_states import CheckKernels, CheckStates
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.initial_states import InitialStates
from packetcrypt.kernels.opencl.randhash import LoadedTables, RandHash
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE, HASH_SIZE
from packetcrypt.protocol.validation import UPDATES, AnnouncementCheck

#: Announcements on the device at a time, about 6 KiB each.
_BATCH: Final = 2048

_Bytes = npt.NDArray[np.uint8]
_Words = npt.NDArray[np.uint32]
_Indexes = npt.NDArray[np.intp]
_Flags = npt.NDArray[np.bool_]


class AnnouncementChecks:
    """Validates announcements on one device."""

    def __init__(self, context: DeviceContext, randhash: RandHash) -> None:
        self._context = context
        self._randhash = randhash
        self._kernels = CheckKernels(context)
        self._states = InitialStates(context)

    def check(self, announcements: _Bytes, parent_hashes: _Bytes) -> CheckedAnnouncements:
        """Validate (n, 1024) announcements against (n, 32) parent block hashes."""
        count = len(announcements)
        checked = CheckedAnnouncements(
            results=np.empty(count, np.uint8),
            work_hashes=np.zeros((count, HASH_SIZE), np.uint8),
            keys=np.empty(count, np.uint64),
        )
        for first in range(0, count, _BATCH):
            rows = slice(first, first + _BATCH)
            self._check_batch(
                announcements[rows],
                parent_hashes[rows],
                CheckedAnnouncements(
                    checked.results[rows], checked.work_hashes[rows], checked.keys[rows]
                ),
            )
        return checked

    def _check_batch(
        self, announcements: _Bytes, parent_hashes: _Bytes, checked: CheckedAnnouncements
    ) -> None:
        keys = self._kernels.keys(announcements)
        plan = plan_checks(announcements, parent_hashes)
        checked.results[:] = plan.results
        if plan.groups:
            self._check_groups(plan, announcements, checked)
        checked.keys[:] = keys.result()

    def _check_groups(
        self, plan: CheckPlan, announcements: _Bytes, checked: CheckedAnnouncements
    ) -> None:
        members = np.concatenate([group.members for group in plan.groups])
        owners = np.repeat(
            np.arange(len(plan.groups)), [len(group.members) for group in plan.groups]
        )
        tables = self._randhash.begin([group.table1 for group in plan.groups]).result()
        valid = tables.programs.valid[owners]
        checked.results[members[~valid]] = AnnouncementCheck.INVAL
        members, owners = members[valid], owners[valid]
        if len(members):
            verdicts, hashes = self._check_hashes(
                announcements[members], plan.soft_nonces[members], plan.groups, owners, tables
            )
            checked.results[members] = verdicts
            checked.work_hashes[members] = hashes

    def _check_hashes(
        self,
        announcements: _Bytes,
        soft_nonces: _Words,
        groups: list[CheckGroup],
        owners: _Indexes,
        tables: LoadedTables,
    ) -> tuple[_Bytes, _Bytes]:
        """(m,) verdicts and (m, 32) work hashes.

        owners : (m,) group of each announcement, those of a group being neighbours
        tables : T1 of every group
        """
        templates = self._states.make([group.search_seed for group in groups])
        states = CheckStates(
            self._context, self._kernels, announcements, soft_nonces, owners, templates
        )
        table_items = TableItems(self._context, self._randhash, tables)
        absorbed = []
        for _ in range(UPDATES):
            numbers = states.item_numbers()
            items = table_items.make(owners, numbers)
            states.update(items)
            absorbed.append(items)
        hashes, prefix_is_zero = states.finish()
        computable = np.logical_and.reduce([items.computable() for items in absorbed])

        # In the reverse order of the checks: the verdict of an earlier one replaces later ones'.
        bits = announcements.view(ANNOUNCEMENT_DTYPE).reshape(-1)["work_bits"]
        verdicts = np.full(len(announcements), AnnouncementCheck.OK, np.uint8)
        verdicts[~meet_targets(hashes, bits)] = AnnouncementCheck.INSUF_POW
        candidates = np.flatnonzero(computable & prefix_is_zero)
        matches, leaf_computable = self._check_branches(
            states, groups, owners[candidates], candidates, numbers[candidates]
        )
        verdicts[candidates[~matches]] = AnnouncementCheck.INVAL
        verdicts[~prefix_is_zero] = AnnouncementCheck.INVAL_ITEM4
        verdicts[~computable] = AnnouncementCheck.INVAL
        # Where a random program is invalid, protocol/validation.py gives no work hash either.
        hashes[~computable] = 0
        hashes[candidates[~leaf_computable]] = 0
        return verdicts, hashes

    def _check_branches(
        self,
        states: CheckStates,
        groups: list[CheckGroup],
        owners: _Indexes,
        candidates: _Indexes,
        numbers: _Words,
    ) -> tuple[_Flags, _Flags]:
        """Whether the branch of each candidate is right, and whether its leaf could be computed.

        owners, candidates, numbers : (c,) group, index in `states` and leaf number of each
        """
        matches = np.zeros(len(candidates), np.bool_)
        computable = np.zeros(len(candidates), np.bool_)
        if not len(candidates):
            return matches, computable
        asked, table_of = np.unique(owners, return_inverse=True)
        tables = self._randhash.begin([groups[owner].table0 for owner in asked]).result()
        chosen = np.flatnonzero(tables.programs.valid[table_of])
        if len(chosen):
            table_items = TableItems(self._context, self._randhash, tables)
            leaves = table_items.make(table_of[chosen], numbers[chosen])
            matches[chosen] = states.branches_match(candidates[chosen], numbers[chosen], leaves)
            computable[chosen] = leaves.computable()
        return matches & computable, computable
