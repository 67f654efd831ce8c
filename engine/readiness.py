"""What lies between opening a device and its first work: compiling, known answers, a fair end."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol, TypeVar

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.selftest import self_test
from packetcrypt.kernels.interface import AnnouncementKernels

_log = logging.getLogger(__name__)

#: After this time a person begins to wonder whether the program hangs.
_NOTICE_AFTER_S: Final = 1.0


class Closable(Protocol):
    """Kernels of any kind."""

    def close(self) -> None: ...


Kernels = TypeVar("Kernels", bound=Closable)


def ready_kernels(
    device: DeviceInfo,
    open_device: Callable[[], AnnouncementKernels],
    cancelled: Callable[[], bool] = lambda: False,
) -> AbstractContextManager[AnnouncementKernels]:
    """The kernels of `device`, opened and past the self-test; closed at the end of the block.

    If it takes longer than a second a line at INFO says what is going on. Raises as `open_device`
    and `self_test` do.
    """
    return ready_device(device, open_device, lambda kernels: self_test(kernels, device, cancelled))


@contextmanager
def ready_device(
    device: DeviceInfo, open_device: Callable[[], Kernels], test: Callable[[Kernels], None]
) -> Iterator[Kernels]:
    """The same for kernels of any kind and their test."""
    # The first launches compile too, so the self-test belongs to what may be slow.
    notice = threading.Timer(_NOTICE_AFTER_S, _log.info, (_what_takes_long(device),))
    notice.name = f"packetcrypt notice {device.index}"
    notice.daemon = True
    notice.start()
    try:
        kernels = open_device()
        with _closed_at_the_end(kernels, device):
            test(kernels)
            notice.cancel()
            yield kernels
    finally:
        notice.cancel()


@contextmanager
def _closed_at_the_end(kernels: Closable, device: DeviceInfo) -> Iterator[None]:
    """Close `kernels`. After an error that one is raised, whatever closing has to say."""
    try:
        yield
    except BaseException:
        try:
            kernels.close()
        except Exception:  # a broken device seldom closes well: its first error is the one to tell
            _log.debug("Closing device %s after an error", device, exc_info=True)
        raise
    kernels.close()


def _what_takes_long(device: DeviceInfo) -> str:
    if device.kind is DeviceKind.NUMPY:
        return f"Device {device}: mining a known job to test it, which takes some seconds."
    return (
        f"Device {device}: compiling kernels. This is done once per driver and version and may "
        "take half a minute; later starts need about a second."
    )
