"""How a program checks announcements of others in batches: the checker that embedders use."""

import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.check_requests import CheckRequest, CheckRequests
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.devices import AUTO, select_devices
from packetcrypt.engine.job_runner import JobCancelled
from packetcrypt.engine.opening import check_threads, open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.selftest import self_test
from packetcrypt.kernels.interface import AnnouncementKernels, CheckedAnnouncements
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE, HASH_SIZE
from packetcrypt.protocol.errors import DecodeError, DeviceError, PacketCryptError

_log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S: Final = 0.9


class AnnouncementChecker:
    """Validates announcements (spec 1 §4) on one or several devices, each with its own thread.

        with AnnouncementChecker() as checker:
            results = checker.check(announcements, parent_hash).results

    Thread-safe. Small requests that wait at the same time are checked together. Every device passes
    the self-test before its first request, and again after one that it could not answer (whose
    asker gets a `DeviceError`, unless others were answered with it: then each is tried alone
    first). A device that fails the test is not asked again; requests go to the others.

    devices : selectors (see `select_devices`)
    threads : CPU cores for NumPy and OpenCL CPU devices; None: all that the process may use
    opener  : opens the kernels of a device, in the device's thread

    Raises `ConfigError` for selectors that choose nothing or an impossible number of threads.
    """

    def __init__(
        self,
        devices: str | Sequence[str] = AUTO,
        threads: int | None = None,
        *,
        opener: Callable[[DeviceInfo, int | None], AnnouncementKernels] = open_kernels,
    ) -> None:
        check_threads(threads)
        self._devices = select_devices(devices)
        self._requests = CheckRequests(workers=len(self._devices))
        workers = [
            threading.Thread(
                target=_work,
                args=(device, partial(opener, device, threads), self._requests),
                name=f"packetcrypt check {device.index}",
                daemon=True,
            )
            for device in self._devices
        ]
        # As in AnnouncementEngine: the threads don't know this object, so it can be forgotten.
        self._finalizer = weakref.finalize(self, _shut_down, self._requests, workers)
        for worker in workers:
            worker.start()

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """The devices chosen."""
        return self._devices

    @property
    def working_devices(self) -> int:
        """How many of them still check; 0: every device failed, or the checker is closed."""
        return self._requests.workers

    @property
    def ready(self) -> Future[None]:
        """Done when the first device passed its self-test; `DeviceError` if none can check.

        A server waits for it before it takes requests. The first start on a machine compiles
        kernels, for half a minute perhaps.
        """
        return self._requests.ready

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8] | bytes
    ) -> CheckedAnnouncements:
        """Validate announcements and wait for the verdicts.

        announcements : (n, 1024) uint8, any n
        parent_hashes : (n, 32) uint8, or 32 bytes for all; internal byte order

        Raises as `submit` does, and `DeviceError` if every device failed.
        """
        return self.submit(announcements, parent_hashes).result()

    def submit(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8] | bytes
    ) -> Future[CheckedAnnouncements]:
        """The same without waiting; for asyncio: `await asyncio.wrap_future(checker.submit(…))`.

        The arrays must not change before the future is done. A future that is cancelled before its
        turn costs nothing. Raises `DecodeError` for arrays of another shape, `CheckerOverloaded`
        when 256 requests are waiting, `DeviceError` if the checker is closed or every device
        failed.
        """
        request = CheckRequest(
            _of_shape(announcements, "announcements", ANNOUNCEMENT_SIZE),
            _one_each(parent_hashes, len(announcements)),
        )
        self._requests.put(request)
        return request.future

    def close(self) -> None:
        """Fail the requests that wait, end the threads. Idempotent.

        Waits for requests under way, a second at most; a longer one is answered later.
        """
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _work(
    device: DeviceInfo, open_device: Callable[[], AnnouncementKernels], requests: CheckRequests
) -> None:
    """The thread of one device."""
    try:
        with ready_kernels(device, open_device, lambda: requests.ended) as kernels:
            requests.worker_ready()
            while together := requests.take():
                if not _answer(kernels, device, together, requests):
                    # Was it a request or the device? One that still passes is asked again.
                    self_test(kernels, device, lambda: requests.ended)
    except JobCancelled:  # closed during the self-test
        return
    except Exception as error:  # the thread's outermost edge: drivers raise what they like
        _tell(error, "Device %s stops checking", device)
        requests.worker_failed(_as_device_error(device, error))


def _answer(
    kernels: AnnouncementKernels,
    device: DeviceInfo,
    together: Sequence[CheckRequest],
    requests: CheckRequests,
) -> bool:
    """Answer requests, a single one with an error if it must be; whether it went well."""
    try:
        checked = kernels.check(
            _joined([request.announcements for request in together]),
            _joined([request.parent_hashes for request in together]),
        )
    except Exception as error:  # whatever a driver raises, the asker must not be left waiting
        _tell(error, "Device %s could not check a batch", device)
        if len(together) > 1:
            requests.give_back(together)
        else:
            together[0].future.set_exception(_as_device_error(device, error))
        return False
    first = 0
    for request in together:
        rows = slice(first, first + len(request.announcements))
        request.future.set_result(
            CheckedAnnouncements(
                checked.results[rows], checked.work_hashes[rows], checked.keys[rows]
            )
        )
        first = rows.stop
    return True


def _joined(arrays: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """The rows of all; the array itself if there is but one."""
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]


def _tell(error: Exception, what: str, device: DeviceInfo) -> None:
    """Log an error; those that nobody thought of with their trace."""
    if isinstance(error, PacketCryptError):
        _log.error(f"{what}: %s", device, error)
    else:
        _log.error(what, device, exc_info=error)


def _as_device_error(device: DeviceInfo, error: Exception) -> DeviceError:
    if isinstance(error, DeviceError):
        return error
    return DeviceError(
        f"device {device} cannot check announcements: {type(error).__name__}: {error}. "
        "Update its driver, or check on another device (--device chooses)."
    )


def _shut_down(requests: CheckRequests, workers: list[threading.Thread]) -> None:
    requests.end(DeviceError("the checker is closed: make a new one to check announcements"))
    deadline = time.monotonic() + _CLOSE_TIMEOUT_S
    for worker in workers:
        if worker is not threading.current_thread():  # it found a forgotten checker
            worker.join(max(0.0, deadline - time.monotonic()))


def _of_shape(array: npt.NDArray[np.uint8], name: str, width: int) -> npt.NDArray[np.uint8]:
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != width:
        raise DecodeError(
            f"{name} have shape {array.shape} and type {array.dtype}: "
            f"give an array of shape (n, {width}) and type uint8"
        )
    return np.ascontiguousarray(array)


def _one_each(parent_hashes: npt.NDArray[np.uint8] | bytes, count: int) -> npt.NDArray[np.uint8]:
    if isinstance(parent_hashes, bytes):
        if len(parent_hashes) != HASH_SIZE:
            raise DecodeError(
                f"the parent hash has {len(parent_hashes)} bytes: a block hash has {HASH_SIZE}"
            )
        return np.tile(np.frombuffer(parent_hashes, np.uint8), (count, 1))
    rows = _of_shape(parent_hashes, "parent hashes", HASH_SIZE)
    if len(rows) != count:
        raise DecodeError(
            f"{len(rows)} parent hashes for {count} announcements: "
            "give one each, or 32 bytes for all"
        )
    return rows
