"""From opening a device to its first work: what is said, and how it ends."""

import logging
import threading
from collections.abc import Iterator

import pytest

from packetcrypt.engine import readiness
from packetcrypt.engine.device_info import DeviceInfo, numpy_device
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.errors import DeviceError


class Noticed(logging.Handler):
    """Waits for the notice."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.event.set()


@pytest.fixture
def noticed() -> Iterator[Noticed]:
    handler = Noticed()
    logger = logging.getLogger(readiness.__name__)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.mark.parametrize("kind", ["pocl", "numpy"])
def test_who_waits_is_told_for_what(
    noticed: Noticed, monkeypatch: pytest.MonkeyPatch, pocl: DeviceInfo, kind: str
) -> None:
    monkeypatch.setattr(readiness, "_NOTICE_AFTER_S", 0.01)
    device = pocl if kind == "pocl" else numpy_device()

    def open_slowly() -> AnnouncementKernels:
        assert noticed.event.wait(60)
        raise DeviceError("opened too slowly")

    with pytest.raises(DeviceError, match="too slowly"), ready_kernels(device, open_slowly):
        pass

    (record,) = noticed.records
    assert record.levelno == logging.INFO
    assert device.name in record.getMessage()
    assert ("compiling kernels" in record.getMessage()) == (kind == "pocl")


def test_who_need_not_wait_is_told_nothing(
    noticed: Noticed, monkeypatch: pytest.MonkeyPatch, pocl: DeviceInfo
) -> None:
    monkeypatch.setattr(readiness, "_NOTICE_AFTER_S", 60)

    with ready_kernels(pocl, lambda: open_kernels(pocl)):
        for thread in threading.enumerate():
            if "notice" in thread.name:  # its timer is cancelled, so it ends at once
                thread.join(10)
                assert not thread.is_alive()

    assert noticed.records == []


def test_kernels_are_closed_and_the_first_error_is_the_one_told(
    pocl: DeviceInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = open_kernels(pocl)
    really_close = kernels.close
    closed = threading.Event()

    def close() -> None:
        really_close()
        closed.set()
        raise OSError("the queue cannot be finished")

    monkeypatch.setattr(kernels, "close", close)

    with (
        pytest.raises(DeviceError, match="the launch failed"),
        ready_kernels(pocl, lambda: kernels),
    ):
        raise DeviceError("the launch failed")

    assert closed.is_set()
