"""The block benchmark: what it reports, and what it refuses."""

import numpy as np
import pytest

from packetcrypt.engine.block_benchmark import benchmark_blocks
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.opening import open_block_kernels
from packetcrypt.kernels.block_interface import BlockKernels, LoadedSet
from packetcrypt.protocol.errors import ConfigError, DeviceError


def test_a_result_is_consistent(pocl: DeviceInfo) -> None:
    result = benchmark_blocks(pocl, 0.3, memory_mb=2)

    assert result.device == pocl.name
    assert result.driver == f"{pocl.platform} {pocl.driver}"
    assert result.announcements == 2048
    assert result.seconds >= 0.3
    assert result.hashes_per_second > 0
    assert result.known_answers is True


def test_a_device_that_errs_with_large_sets_only_is_found_out(pocl: DeviceInfo) -> None:
    def opener(device: DeviceInfo, store: np.ndarray, threads: int | None) -> BlockKernels:
        kernels = open_block_kernels(device, store, threads)
        load_set = kernels.load_set

        def load_wrongly(rows: np.ndarray, slot: int) -> LoadedSet:
            return load_set(rows[::-1] if len(rows) > 1000 else rows, slot)

        kernels.load_set = load_wrongly  # type: ignore[method-assign]
        return kernels

    with pytest.raises(DeviceError, match="with 1024 announcements"):
        benchmark_blocks(pocl, 0.01, memory_mb=1, opener=opener)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_is_refused(pocl: DeviceInfo, seconds: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        benchmark_blocks(pocl, seconds, memory_mb=1)


def test_no_memory_is_refused(pocl: DeviceInfo) -> None:
    with pytest.raises(ConfigError, match="hold no announcements"):
        benchmark_blocks(pocl, 1, memory_mb=0)
