"""What the workers of a block engine should mine right now, and which tree they build meanwhile.

A thread looks at the classes of the store, chooses sets and puts their announcements in order; the
devices hash the trees, one device a tree, between the launches of their search. So there are two
trees: the one that is mined, and the next.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_rule import BuildRule
from packetcrypt.engine.block_set import (
    MinedSet,
    best_set_within,
    has_parents,
    max_target_at,
    power_of,
)
from packetcrypt.engine.block_store import AddedAnnouncements, AnnouncementStore
from packetcrypt.engine.block_tree import BlockTree
from packetcrypt.engine.key_index import Keys
from packetcrypt.engine.tree_task import TreeTask
from packetcrypt.protocol.commitment import COMMITMENT_SIZE, insert_commitment
from packetcrypt.protocol.set_selection import SelectedSet
from packetcrypt.protocol.work_file import BlockWork

_log = logging.getLogger(__name__)

#: How often the set that is mined is compared with the best one, while announcements come in.
_COMPARE_S: Final = 0.25

#: What building takes an announcement until it has been measured.
_FIRST_BUILD_S: Final = 0.5e-6


@dataclass(frozen=True, eq=False)
class Plan:
    """What to mine; None for nothing. `closed` is the end: nothing follows."""

    candidate: BlockCandidate | None = None
    closed: bool = False


class SetPlanner:
    """Decides for the workers. Thread-safe; its thread starts with `run_thread`.

    largest : most announcements a set may have. The rows of the set that is mined cannot be
              evicted: if it had all, no new announcement would ever come in.
    """

    def __init__(self, store: AnnouncementStore, largest: int) -> None:
        self.store = store
        self._largest = largest
        self._changed = threading.Condition()
        self._work: BlockWork | None = None
        self._mined: MinedSet | None = None
        self._plan = Plan()
        self._task: TreeTask | None = None
        self._urgent = False
        self._added = False
        self._outdated = False
        """the set that is mined has announcements that were forgotten"""
        self._forgettings = 0
        self._build_s = _FIRST_BUILD_S
        self._rule = BuildRule()
        self._thread = threading.Thread(target=self._run, name="packetcrypt planner", daemon=True)

    def run_thread(self) -> None:
        """Begin to decide."""
        self._thread.start()

    @property
    def plan(self) -> Plan:
        """The latest plan. Workers compare it by identity: a new plan is a new object."""
        return self._plan

    @property
    def mined(self) -> MinedSet | None:
        """The set that is mined, or was last."""
        return self._mined

    def start(self, work: BlockWork) -> None:
        """Mine `work` from now on, with the set that there is, if it can be used for it."""
        insert_commitment(work.coinbase_no_witness, bytes(COMMITMENT_SIZE))  # refuse it here
        with self._changed:
            if self._plan.closed or work == self._work:
                return
            self._work = work
            self._urgent = True
            task = self._task
            if task is not None and max_target_at(work.height, task.selected.classes) is None:
                self._abandon(task)
            self._publish()

    def pause(self) -> None:
        """Mine nothing until the next `start`."""
        with self._changed:
            if not self._plan.closed:
                self._work = None
                self._publish()

    def close(self) -> None:
        """The end: no plan follows. Idempotent."""
        with self._changed:
            self._plan = Plan(closed=True)
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Wait for the thread to end."""
        if self._thread is not threading.current_thread():  # it found a forgotten engine
            self._thread.join(timeout)

    def added(self, added: AddedAnnouncements) -> None:
        """Announcements came into the store."""
        if added.taken:
            with self._changed:
                self._added = True
                self._changed.notify_all()

    def forgotten(self, keys: Keys) -> None:
        """Announcements were dropped from the store because they are bad."""
        with self._changed:
            self._forgettings += 1
            if self._task is not None and self._task.pinned.has_any(keys):
                self._abandon(self._task)
            if self._mined is not None and self._mined.pinned.has_any(keys):
                self._mined.withdrawn.add_keys(keys)
                self._replace_mined()

    def forgotten_parents(self, heights: Iterable[int]) -> None:
        """Announcements were dropped from the store because their parents left the chain."""
        gone = frozenset(heights)
        with self._changed:
            self._forgettings += 1
            if self._task is not None and has_parents(self._task.selected.classes, gone):
                self._abandon(self._task)
            if self._mined is not None and has_parents(self._mined.classes, gone):
                self._mined.withdrawn.add_parents(gone)
                self._replace_mined()

    def discard(self, mined: MinedSet) -> None:
        """A set turned out to have a wrong tree."""
        with self._changed:
            if self._mined is mined:
                self._urgent = True
                self._mine(None)

    def wait(self, known: Plan) -> None:
        """Sleep until there is another plan than `known`, or a tree to build."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._plan is not known or (self._task is not None and not self._task.claimed)
                )
            )

    def claim(self) -> TreeTask | None:
        """A tree to build, if there is one that no other device builds."""
        if self._task is None:  # nearly always
            return None
        with self._changed:
            task = self._task
            if task is None or task.claimed:
                return None
            task.claimed = True
            return task

    def release(self, task: TreeTask) -> None:
        """The device that claimed a task cannot finish it."""
        with self._changed:
            task.claimed = False
            self._changed.notify_all()

    def built(self, task: TreeTask, tree: BlockTree, device: str) -> None:
        """A task is done."""
        with self._changed:
            task.mined = MinedSet(task.selected.classes, task.pinned, tree, device)
            self._changed.notify_all()

    def _run(self) -> None:
        while (height := self._next_decision()) is not None:
            try:
                self._decide(height)
            except Exception:  # the thread's outermost edge: without it no set would follow
                _log.exception("Choosing a set of announcements failed; the next try comes soon")

    def _decide(self, height: int) -> None:
        """Compare the set that is mined with the best one, and have that built if it pays."""
        self.store.set_height(height)
        best = best_set_within(self._largest, self.store.classes(), height)
        if best is None:
            with self._changed:
                if self._outdated:  # what can be used of it would still be in the store
                    self._mine(None)
            return
        mined = None if self._outdated else self._mined
        current = 0 if mined is None else mined.power(height)
        power = power_of(best.max_target, best.count)
        if self._rule.pays(height, power, current, self._build_s * best.count):
            del mined  # its rows are free as soon as the next set is mined
            self._build(best)

    def _next_decision(self) -> int | None:
        """Wait until it is time to compare sets, for which height; None at the end."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._plan.closed or self._urgent, _COMPARE_S):
                self._changed.wait_for(
                    lambda: (
                        self._plan.closed
                        or self._urgent
                        or (self._work is not None and (self._added or self._rule.waiting))
                    )
                )
            self._urgent = self._added = False
            if self._plan.closed:
                return None
            return self.store.height if self._work is None else self._work.height

    def _build(self, selected: SelectedSet) -> None:
        """Have the tree of a set built, and mine it."""
        forgettings = self._forgettings
        pinned = self.store.pin(selected.classes)
        if not len(pinned.rows):
            return
        task = TreeTask(self.store, selected, pinned)
        with self._changed:
            if forgettings != self._forgettings:  # perhaps what was just pinned: choose again
                self._urgent = True
                return
            self._task = task
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._plan.closed or task.abandoned or task.mined is not None
            )
            self._task = None
            if self._plan.closed or task.abandoned or task.mined is None:
                return
            self._rule.built()
            self._build_s = task.seconds / task.mined.count
            self._mine(task.mined)

    def _abandon(self, task: TreeTask) -> None:
        """Choose another set than the one that is being built. The caller has the lock."""
        task.abandoned = self._urgent = True
        self._changed.notify_all()

    def _replace_mined(self) -> None:
        """Build another set than the one that is mined, at once. The caller has the lock."""
        self._outdated = self._urgent = True
        self._changed.notify_all()

    def _mine(self, mined: MinedSet | None) -> None:
        """Mine with this set from now on. The caller has the lock."""
        self._mined = mined
        self._outdated = False
        self._publish()

    def _publish(self) -> None:
        """A new plan of what there is, unless the end was announced. The caller has the lock."""
        if self._plan.closed:
            return
        candidate = None
        if self._work is not None and self._mined is not None:
            candidate = BlockCandidate.of(self._work, self._mined)
        self._plan = Plan(candidate)
        self._changed.notify_all()
