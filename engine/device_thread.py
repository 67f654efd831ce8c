"""What every thread that drives a device does: start, end, and fail once, with a clear error."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.failures import unexpected_failure
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.protocol.errors import DeviceError, PacketCryptError

_log = logging.getLogger(__name__)


class StateCounters(Protocol):
    """Where a device's state is noted."""

    def enter(self, state: DeviceState, error: str | None = None) -> None: ...


class DeviceThread(ABC):
    """One device and its thread. The thread starts with `start`.

    name   : of the thread
    task   : what the device is for, as an error says it: "mine"
    failed : called once, from any thread, if the device fails
    """

    def __init__(
        self,
        device: DeviceInfo,
        name: str,
        task: str,
        counters: StateCounters,
        failed: Callable[[DeviceError], None],
    ) -> None:
        self.device = device
        self._task = task
        self._states = counters
        self._failed = failed
        self._failure: DeviceError | None = None
        self._failure_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end; whether it did, or is itself the caller and so will."""
        if self._thread is threading.current_thread():  # Python found a forgotten engine in here
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @abstractmethod
    def _work(self) -> None:
        """What the thread does, to its end."""

    def _ended(self) -> None:  # noqa: B027 - not all have something to do
        """Called in the thread after `_work`, however that ended."""

    def _run(self) -> None:
        try:
            self._work()
        except DeviceError as error:
            # Without its traceback, which would hold what the thread had: kernels, pinned rows.
            self._fail(DeviceError(str(error)))
        except PacketCryptError as error:
            self._fail(DeviceError(f"device {self.device} cannot {self._task}: {error}"))
        except Exception as error:  # the thread's outermost edge: drivers raise what they like
            if threading.main_thread().is_alive():
                _log.exception("Worker of device %s", self.device)
                self._fail(unexpected_failure(self.device, error))
            # Else the program is ending, and Python took the pools that the kernels compute with
            # before the engine could be closed.
        finally:
            self._ended()
        self._states.enter(DeviceState.CLOSED)

    def _fail(self, error: DeviceError) -> None:
        with self._failure_lock:
            if self._failure is not None:
                return
            self._failure = error
        self._states.enter(DeviceState.FAILED, str(error))
        _log.error("%s", error)
        self._failed(error)
