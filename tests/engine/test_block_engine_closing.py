"""A block engine that is closed, or forgotten, leaves no thread behind."""

import gc
import threading

import numpy as np
import pytest
from block_engine_parts import (
    HEIGHT,
    MEMORY_MB,
    NOW_AND_THEN,
    PATIENCE,
    take,
    wait_for_state,
)
from made_up_blocks import block_work, made_up

from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.opening import open_block_kernels
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.kernels.block_interface import BlockKernels


@pytest.mark.parametrize("state", [DeviceState.STARTING, DeviceState.IDLE, DeviceState.MINING])
def test_closing_ends_the_threads_in_every_state(state: DeviceState) -> None:
    others = set(threading.enumerate())
    opened = threading.Event()

    def opener(device: DeviceInfo, store: np.ndarray, threads: int | None) -> BlockKernels:
        opened.set()
        return open_block_kernels(device, store, threads)

    engine = BlockEngine("cpu", memory_mb=MEMORY_MB, opener=opener)
    engine.add(made_up(100, HEIGHT - 3))
    assert opened.wait(PATIENCE)  # by now all its threads run: one that only starts has no join
    if state is not DeviceState.STARTING:
        wait_for_state(engine, DeviceState.IDLE)
    if state is DeviceState.MINING:
        engine.start(block_work(HEIGHT))
        wait_for_state(engine, DeviceState.MINING)
    threads = set(threading.enumerate()) - others

    engine.close()
    engine.close()

    while engine.get() is not None:
        pass
    assert list(engine.shares()) == []
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert engine.statistics().devices[0].state is DeviceState.CLOSED


def test_a_forgotten_engine_stops() -> None:
    others = set(threading.enumerate())
    engine = BlockEngine("cpu", memory_mb=MEMORY_MB)
    engine.add(made_up(100, HEIGHT - 3))
    engine.start(block_work(HEIGHT, NOW_AND_THEN))
    take(engine)
    threads = set(threading.enumerate()) - others

    del engine
    gc.collect()

    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
