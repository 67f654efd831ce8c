"""Block engines for tests: settings, altered devices, and waiting for what they do."""

import threading
from collections.abc import Callable

import numpy as np

from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_statistics import BlockEngineStatistics
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.opening import BlockOpener, open_block_kernels
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.kernels.block_interface import BlockKernels

HEIGHT = 1_000_006
PATIENCE = 120.0
"""Seconds after which a test gives up: compiling kernels on a busy machine takes long."""

MEMORY_MB = 2
"""1638 announcements"""

NOW_AND_THEN = 0x2000FFFF
"""a share target for which few enough hashes are shares"""


def altered(alter: Callable[[BlockKernels], None]) -> BlockOpener:
    """An opener of real kernels, of which `alter` then replaces a method."""

    def opener(device: DeviceInfo, store: np.ndarray, threads: int | None) -> BlockKernels:
        kernels = open_block_kernels(device, store, threads)
        alter(kernels)
        return kernels

    return opener


def take(engine: BlockEngine) -> FoundShare:
    share = engine.get(PATIENCE)
    assert share is not None
    return share


def wait_until(
    engine: BlockEngine, condition: Callable[[BlockEngineStatistics], bool]
) -> BlockEngineStatistics:
    patience = threading.Event()
    timer = threading.Timer(PATIENCE, patience.set)
    timer.start()
    while not condition(statistics := engine.statistics()):
        assert [device.error for device in statistics.devices if device.error] == []
        assert not patience.wait(0.01)
    timer.cancel()
    return statistics


def wait_for_state(engine: BlockEngine, state: DeviceState) -> None:
    wait_until(engine, lambda now: {device.state for device in now.devices} == {state})


def always_pocl() -> BlockOpener:
    """NumPy would take longer and show no more."""
    (pocl,) = select_devices("cpu")
    return lambda device, store, threads: open_block_kernels(pocl, store, threads)
