"""How one service of a devnet is kept running: started, watched, started again, stopped."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packetcrypt.pool import devnet_launcher
from packetcrypt.pool.devnet_log_file import LogFile
from packetcrypt.protocol.errors import PacketCryptError

STEADY_SECONDS: Final = 15.0
"""a service that ran so long was up, so that its end is no failure of the start"""
FAILURES: Final = 5
"""starts in a row that may fail; the service is given up then"""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 8.0
"""seconds before the first restart, doubled for each failure in a row"""

_log = logging.getLogger(__name__)


class ServiceFailed(PacketCryptError):
    """A service of a devnet that ends again and again; `exit_code` is its last exit status."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of a devnet.

    command      : absolute path of a program, and its arguments
    stop_seconds : in which it ends when it is asked to; it is killed then
    ready        : what a line of its log contains once others can rely on it; "": nobody does
    url          : where it answers; None: nowhere
    environment  : variables that it gets besides those of this process
    """

    name: str
    command: tuple[str, ...]
    stop_seconds: float
    ready: str = ""
    url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class KeptService:
    """A service and its process, whichever runs at the moment.

    log     : where it writes to
    show    : called with every line of its log
    started : called with the process id at every start
    """

    def __init__(
        self,
        service: Service,
        log: LogFile,
        show: Callable[[str], None],
        started: Callable[[int], None],
    ) -> None:
        self.service = service
        self.ready = asyncio.Event()
        if not service.ready:
            self.ready.set()
        self._log = log
        self._show = show
        self._started = started
        self._stopping = asyncio.Event()

    async def keep(self) -> None:
        """Runs it until `stop`; `ServiceFailed` if it cannot be kept running."""
        failures = 0
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            status = await self._ended(await self._start())
            self.read_log()
            if self._stopping.is_set():
                break
            failures = 1 if loop.time() - began >= STEADY_SECONDS else failures + 1
            if failures > FAILURES:
                raise self._failed(status)
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
            _log.warning(
                "%s ended by itself (%s); it is started again in %g s (failure %d of %d in a row)",
                *(self.service.name, _ending(status), pause, failures, FAILURES),
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    def stop(self) -> None:
        """Has it asked to end, and killed if it does not in time; `keep` returns when it has."""
        self._stopping.set()

    def read_log(self) -> None:
        """Shows what it has written since the last time."""
        for line in self._log.new_lines():
            self._show(line)
            if self.service.ready and self.service.ready in line:
                self.ready.set()

    def close(self) -> None:
        """Shows the rest of the log and closes it. Call once, when it has stopped."""
        self.read_log()
        self._log.close()

    async def _start(self) -> Process:
        # Isolated and without site-packages, so that it takes a moment before it is the service.
        launcher = (sys.executable, "-I", "-S", str(Path(devnet_launcher.__file__)))
        process = await asyncio.create_subprocess_exec(
            *(*launcher, str(os.getpid()), *self.service.command),
            stdin=DEVNULL,
            stdout=self._log.descriptor,
            stderr=self._log.descriptor,
            env={**os.environ, **self.service.environment},
            # Ctrl-C on the terminal is for the supervisor, which stops all in order.
            process_group=0,
        )
        self._started(process.pid)
        return process

    async def _ended(self, process: Process) -> int:
        """Waits for its end, by itself or because it is to stop; returns the exit status."""
        ending = asyncio.create_task(process.wait())
        asked = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ending, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not ending.done():
            await self._end(process)
        return await ending

    async def _end(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self.service.stop_seconds)
        except TimeoutError:
            _log.warning(
                "%s did not end within %g s; it is killed",
                *(self.service.name, self.service.stop_seconds),
            )
            # With what it started. The group is its own; nobody else can have its number while its
            # leader has not ended.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _failed(self, status: int) -> ServiceFailed:
        last = "\n".join(f"  {line}" for line in self._log.last_lines)
        return ServiceFailed(
            f"{self.service.name} ended {FAILURES + 1} times in a row soon after its start, "
            f"at last {_ending(status)}. It said:\n{last}\nMend that and start again.",
            status if status > 0 else ServiceFailed.exit_code,
        )


def _ending(status: int) -> str:
    return f"with exit status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
