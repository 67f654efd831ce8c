"""What becomes of block mining when a device fails, or computes wrongly."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from block_engine_parts import HEIGHT, MEMORY_MB, NOW_AND_THEN, PATIENCE, altered, always_pocl, take
from made_up_blocks import EASIEST, block_work, made_up, verdict

from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opening import open_block_kernels
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.kernels.block_interface import BlockKernels, BlockLaunch, FoundHashes
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.block_check import BlockCheck
from packetcrypt.protocol.errors import DeviceError


def test_a_device_that_fails_its_self_test_mines_nothing() -> None:
    def blind(kernels: BlockKernels) -> None:
        search = kernels.search
        kernels.search = (
            lambda *args: Filtered(  # type: ignore[assignment, method-assign]
                search(*args),
                lambda found: FoundHashes(found.low_nonces[1:], found.work_hashes[1:]),
            )
        )

    with BlockEngine("cpu", memory_mb=MEMORY_MB, opener=altered(blind)) as engine:
        engine.start(block_work(HEIGHT))
        with pytest.raises(DeviceError, match="failed its self-test") as failed:
            engine.get(PATIENCE)
    assert engine.devices[0].name in str(failed.value)


def test_a_device_that_errs_later_is_stopped_and_delivers_nothing() -> None:
    def corrupt_later(kernels: BlockKernels) -> None:
        search = kernels.search
        launches = 0

        def corrupt(found: FoundHashes) -> FoundHashes:
            """Only the first find is wrong: those after it are withheld because of it."""
            wrong = found.low_nonces.copy()
            wrong[:1] += 1
            return FoundHashes(wrong, found.work_hashes)

        def later(*args: object) -> BlockLaunch:
            nonlocal launches
            launches += 1
            launch = search(*args)  # type: ignore[arg-type]
            return launch if launches <= 2 else Filtered(launch, corrupt)  # after the self-test

        kernels.search = later  # type: ignore[assignment, method-assign]

    with BlockEngine("cpu", memory_mb=MEMORY_MB, opener=altered(corrupt_later)) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        engine.start(block_work(HEIGHT, EASIEST))
        with pytest.raises(DeviceError, match="computes wrong blocks"):
            engine.get(PATIENCE)
    (device,) = engine.statistics().devices
    assert device.state is DeviceState.FAILED
    assert device.shares == 0
    assert device.withheld > 1


def test_a_device_that_builds_a_wrong_tree_is_stopped() -> None:
    def wrong_trees(kernels: BlockKernels) -> None:
        hash_layer = kernels.hash_layer

        def wrong(hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
            parents = hash_layer(hashes, starts, end).copy()
            if len(hashes) > 50:  # not in the self-test
                parents[:, 5] ^= 1
            return parents

        kernels.hash_layer = wrong  # type: ignore[method-assign]

    with BlockEngine("cpu", memory_mb=MEMORY_MB, opener=altered(wrong_trees)) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        with pytest.raises(DeviceError, match="proof tree"):
            engine.get(PATIENCE)


def test_other_devices_mine_with_a_new_tree_when_one_built_a_wrong_one() -> None:
    built = threading.Event()

    def opener(device: DeviceInfo, store: np.ndarray, threads: int | None) -> BlockKernels:
        if device.kind is DeviceKind.CPU:
            assert built.wait(PATIENCE)  # so that the other one builds the tree
        kernels = always_pocl()(device, store, threads)
        if device.kind is DeviceKind.NUMPY:
            hash_layer = kernels.hash_layer

            def wrong(hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
                parents = hash_layer(hashes, starts, end).copy()
                if len(hashes) > 50:  # not in the self-test
                    parents[:, 5] ^= 1
                    built.set()
                return parents

            kernels.hash_layer = wrong  # type: ignore[method-assign]
        return kernels

    with BlockEngine(["numpy", "cpu"], memory_mb=MEMORY_MB, opener=opener) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        share = take(engine)
        wrong, right = engine.statistics().devices
    assert verdict(share) is BlockCheck.SHARE_OK
    assert share.device == right.device.index
    assert (wrong.state, right.trees) == (DeviceState.FAILED, 1)


def test_other_devices_go_on_when_one_fails_in_the_middle_of_a_tree() -> None:
    entered = threading.Event()

    def opener(device: DeviceInfo, store: np.ndarray, threads: int | None) -> BlockKernels:
        if device.kind is DeviceKind.CPU:
            assert entered.wait(PATIENCE)  # so that the other one begins the tree
        kernels = open_block_kernels(device, store, threads)
        if device.kind is DeviceKind.NUMPY:
            hash_layer = kernels.hash_layer

            def fail_later(hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
                if len(hashes) > 50:
                    entered.set()
                    raise OSError("out of handles")
                return hash_layer(hashes, starts, end)

            kernels.hash_layer = fail_later  # type: ignore[method-assign]
        return kernels

    with BlockEngine(["numpy", "cpu"], memory_mb=MEMORY_MB, opener=opener) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        share = take(engine)
        numpy, pocl = engine.statistics().devices
    assert share.device == pocl.device.index
    assert numpy.state is DeviceState.FAILED
    assert numpy.error is not None
    assert "OSError: out of handles" in numpy.error


def test_a_failed_device_lets_go_of_its_set() -> None:
    def opener(device: DeviceInfo, store: np.ndarray, threads: int | None) -> BlockKernels:
        kernels = always_pocl()(device, store, threads)
        search = kernels.search
        launches = 0

        def fail_later(*args: object) -> BlockLaunch:
            nonlocal launches
            launches += 1
            if launches > 2:  # after the self-test
                raise DeviceError("it is on fire")
            return search(*args)  # type: ignore[arg-type]

        if device.kind is DeviceKind.NUMPY:
            kernels.search = fail_later  # type: ignore[assignment, method-assign]
        return kernels

    old, new = made_up(100, HEIGHT - 3), made_up(50, HEIGHT - 3, seed=1)
    keys = np.array([dedup_key(row.tobytes()) for row in old], np.uint64)
    with BlockEngine(["numpy", "cpu"], memory_mb=MEMORY_MB, opener=opener) as engine:
        engine.add(old)
        engine.start(block_work(HEIGHT, 0x1C00FFFF))
        wait_for_failure(engine)
        assert engine.forget(keys) == 100
        engine.add(new)
        patience = time.monotonic() + PATIENCE
        while engine.statistics().store.free != 1638 - 50:
            assert time.monotonic() < patience
            time.sleep(0.01)


def wait_for_failure(engine: BlockEngine) -> None:
    patience = time.monotonic() + PATIENCE
    while all(device.error is None for device in engine.statistics().devices):
        assert time.monotonic() < patience
        time.sleep(0.01)


class Filtered:
    """A real launch whose finds are altered."""

    def __init__(self, real: BlockLaunch, alter: Callable[[FoundHashes], FoundHashes]) -> None:
        self._real = real
        self._alter = alter

    def result(self) -> FoundHashes:
        return self._alter(self._real.result())
