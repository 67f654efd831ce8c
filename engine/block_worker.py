"""What the thread of one device does for blocks: open it, test it, search, hash trees, stop."""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_planner import Plan, SetPlanner
from packetcrypt.engine.block_search import BlockSearch, Landed, block_launch_size
from packetcrypt.engine.block_selftest import block_self_test
from packetcrypt.engine.block_shares import QUEUE_LIMIT, Find, ShareMaker
from packetcrypt.engine.block_statistics import BlockDeviceCounters
from packetcrypt.engine.block_tree import BlockTree
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.device_thread import DeviceThread
from packetcrypt.engine.readiness import ready_device
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.engine.tree_task import TreeTask
from packetcrypt.kernels.block_interface import BlockKernels
from packetcrypt.protocol.errors import DeviceError

#: Hashing a tree takes turns with the search: after a launch it gets so many times as long as the
#: launch took,
_TREE_SHARE: Final = 1.0
#: or this, if that is more, or if nothing is searched.
_LEAST_TURN_S: Final = 0.005


class BlockWorker(DeviceThread):
    """One device that mines blocks, and its thread. The thread starts with `start`.

    open_device   : opens the kernels; called in the thread, which then owns them
    memory        : what lies under the store, with the rows of the self-test at its end
    header_nonces : this worker's share of them, without end
    planner       : where its plans and the trees to build come from
    shares        : where its finds go
    failed        : called once, from any thread, if the device fails
    """

    def __init__(
        self,
        device: DeviceInfo,
        open_device: Callable[[], BlockKernels],
        memory: npt.NDArray[np.uint8],
        header_nonces: Iterator[int],
        planner: SetPlanner,
        shares: ShareMaker,
        counters: BlockDeviceCounters,
        failed: Callable[[DeviceError], None],
    ) -> None:
        super().__init__(
            device, f"packetcrypt blocks {device.index}", "mine blocks", counters, failed
        )
        self._open_device = open_device
        self._memory = memory
        self._header_nonces = header_nonces
        self._planner = planner
        self._shares = shares
        self._counters = counters
        self._changes = planner.store.follow()
        self._building: _Building | None = None

    @property
    def distrusted(self) -> bool:
        """Whether what the device computes is not to be used any more."""
        return self._failure is not None

    def distrust(self, error: DeviceError) -> None:
        """Stop the device: what it computed turned out to be wrong."""
        self._fail(
            DeviceError(
                f"device {self.device} computes wrong blocks: {error}. It is stopped. Reset any "
                "overclocking, update its driver, or leave the device out (--device chooses "
                "others)."
            )
        )

    def _work(self) -> None:
        with ready_device(self.device, self._open_device, self._test) as kernels:
            self._serve(kernels)

    def _ended(self) -> None:
        if self._building is not None:
            self._planner.release(self._building.task)
            self._building = None

    def _test(self, kernels: BlockKernels) -> None:
        block_self_test(kernels, self._memory, self.device)

    def _serve(self, kernels: BlockKernels) -> None:
        """Follow the plans until the last one, or until the device turns out to be wrong."""
        search = BlockSearch(
            kernels,
            self._changes,
            self._header_nonces,
            block_launch_size(self.device, kernels),
            self._of_no_use,
        )
        plan = Plan()
        while not (latest := self._planner.plan).closed and not self.distrusted:
            if latest is not plan:
                plan = latest
                self._deliver_all(search.adopt(plan.candidate))
                self._counters.enter(
                    DeviceState.IDLE if plan.candidate is None else DeviceState.MINING
                )
            if not self._take_turns(search, kernels, plan.candidate is None):
                self._planner.wait(plan)
        self._deliver_all(search.drain())

    def _take_turns(self, search: BlockSearch, kernels: BlockKernels, idle: bool) -> bool:
        """An operation of the search, and some of a tree if one landed; whether there was any."""
        landed = search.advance()
        if landed is not None:
            self._deliver(landed)
            self._build(kernels, max(_LEAST_TURN_S, _TREE_SHARE * landed.seconds))
            return True
        return not idle or self._build(kernels, _LEAST_TURN_S)

    def _of_no_use(self, candidate: BlockCandidate) -> bool:
        """Whether finds for a candidate are too late. Another set alone does not make them so."""
        current = self._planner.plan.candidate
        return current is None or current.work is not candidate.work or self.distrusted

    def _deliver_all(self, launches: Iterator[Landed]) -> None:
        for landed in launches:
            self._deliver(landed)

    def _deliver(self, landed: Landed) -> None:
        # A launch that finds more than may wait at all has a target that is much too easy.
        low_nonces = landed.found.low_nonces[:QUEUE_LIMIT].tolist()
        work_hashes = landed.found.work_hashes[:QUEUE_LIMIT]
        surplus = len(landed.found.low_nonces) - len(low_nonces)
        self._counters.count(hashes=landed.hashes, dropped=surplus)
        for low_nonce, work_hash in zip(low_nonces, work_hashes, strict=True):
            self._shares.submit(
                Find(
                    landed.candidate,
                    landed.header,
                    low_nonce,
                    work_hash.tobytes(),
                    self.device.index,
                )
            )

    def _build(self, kernels: BlockKernels, turn_s: float) -> bool:
        """Hash some more of a tree, if there is one to build; whether there was."""
        if self._building is not None and self._building.task.abandoned:
            self._building = None
        if self._building is None:
            task = self._planner.claim()
            if task is None:
                return False
            self._building = _Building(task, task.steps(kernels))
        task = self._building.task
        started = time.monotonic()
        tree = self._building.advance(started + turn_s)
        task.seconds += time.monotonic() - started
        if tree is not None:
            self._building = None
            self._planner.built(task, tree, self.device.index)
            self._counters.count(trees=1)
        return True


class _Building:
    """A tree that this device is building."""

    def __init__(self, task: TreeTask, steps: Generator[None, None, BlockTree]) -> None:
        self.task = task
        self._steps = steps

    def advance(self, give_way: float) -> BlockTree | None:
        """Go on, for one step at least, until a time (time.monotonic) or the tree."""
        try:
            next(self._steps)
            while time.monotonic() < give_way:
                next(self._steps)
        except StopIteration as finished:
            tree: BlockTree = finished.value
            return tree
        return None
