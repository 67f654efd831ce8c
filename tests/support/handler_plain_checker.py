"""A checker with the plain referee, which a test can hold and break."""

import functools
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.validation import check_announcement

# The same few announcements are posted by many tests, and a check takes some 50 ms.
_check = functools.cache(check_announcement)


class PlainChecker:
    """Checks on one thread.

    open   : while cleared, checks wait
    asked  : set when something is to be checked
    broken : checks fail as a device does
    working_devices : what it says of itself; checks do not depend on it
    """

    devices = ("plain",)

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()
        self.broken = False
        self.working_devices = 1
        self._executor = ThreadPoolExecutor(1)

    def submit(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> Future[CheckedAnnouncements]:
        self.asked.set()
        return self._executor.submit(self._check, announcements, parent_hashes)

    def _check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        self.open.wait()
        if self.broken:
            raise DeviceError("the device was unplugged")
        checked = [
            _check(row.tobytes(), parent.tobytes())
            for row, parent in zip(announcements, parent_hashes, strict=True)
        ]
        hashes = b"".join(one.work_hash or bytes(32) for one in checked)
        return CheckedAnnouncements(
            np.array([one.result for one in checked], np.uint8),
            np.frombuffer(hashes, np.uint8).reshape(-1, 32),
            np.array([dedup_key(row.tobytes()) for row in announcements], np.uint64),
        )

    def close(self) -> None:
        self.open.set()
        self._executor.shutdown()
