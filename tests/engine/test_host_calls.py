"""How much Python runs beside the device: counted calls, which noise cannot move, unlike times."""

import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from packetcrypt.engine.announcement_engine import AnnouncementEngine
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels

#: It was 18 with one core, whose launches have 3840 nonces and 30 announcements.
CALLS_AN_ANNOUNCEMENT = 25


class CallCount:
    """Calls of Python and C functions in one thread."""

    def __init__(self, thread: str) -> None:
        self.calls = 0
        self._thread = thread

    def hear(self, frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_call") and threading.current_thread().name == self._thread:
            self.calls += 1


@pytest.fixture
def counted(pocl: DeviceInfo) -> Iterator[CallCount]:
    """Counts in the device's thread, if that starts from now on."""
    count = CallCount(f"packetcrypt {pocl.index}")
    threading.setprofile(count.hear)
    yield count
    threading.setprofile(None)


def long_launches(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
    """Kernels whose launches are as long as on a quiet machine, however busy this one is."""
    kernels = open_kernels(device, threads)
    kernels.launch_quantum = kernels.max_launch
    return kernels


def test_python_calls_an_announcement(
    pocl: DeviceInfo, counted: CallCount, usual_work: AnnouncementWork
) -> None:
    with AnnouncementEngine(pocl.index, threads=1, opener=long_launches) as engine:
        engine.start(usual_work)
        first = engine.get(timeout=120)
        assert first is not None
        before, calls_before = engine.statistics(), counted.calls
        while engine.statistics().announcements < before.announcements + 1200:  # of 2 or 3 jobs
            assert engine.get(timeout=120) is not None
        found = engine.statistics().announcements - before.announcements
        calls = counted.calls - calls_before

    assert 0 < calls < CALLS_AN_ANNOUNCEMENT * found
