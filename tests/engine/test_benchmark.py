"""The benchmark: what it reports, and what it refuses."""

import pytest

from packetcrypt.engine.benchmark import benchmark_announcements
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.protocol.errors import ConfigError


def test_a_result_is_consistent(pocl: DeviceInfo) -> None:
    result = benchmark_announcements(pocl, 0.5, work_bits=0x207FFFFF)

    assert result.device == pocl.name
    assert result.work_bits == 0x207FFFFF
    assert result.known_answers is True
    assert result.seconds >= 0.5
    assert result.prepare_seconds > 0
    # Every other nonce is an announcement of this work.
    ratio = result.announcements_per_second / result.hashes_per_second
    assert ratio == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_is_refused(pocl: DeviceInfo, seconds: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        benchmark_announcements(pocl, seconds)


def test_impossible_work_bits_are_refused(pocl: DeviceInfo) -> None:
    with pytest.raises(ConfigError, match="work bits"):
        benchmark_announcements(pocl, 1, work_bits=0)
