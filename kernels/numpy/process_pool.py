"""Which worker processes the NumPy backend computes with: started, asked, watched, ended.

Not multiprocessing's own: its `spawn` runs the embedder's main module again, and its `fork` copies
a process that has threads and drivers in it. And not threads: most NumPy calls here are short, so
that two threads, which take the GIL in turns, are hardly faster than one.
"""

import contextlib
import itertools
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from packetcrypt.kernels.interface import StageSeconds
from packetcrypt.kernels.numpy.shared_rooms import SharedRooms
from packetcrypt.kernels.numpy.worker_messages import NO_TIME, Answer, Cancel, Command, Order
from packetcrypt.protocol.errors import DeviceError

_log = logging.getLogger(__name__)

_WORKER: Final = "packetcrypt.kernels.numpy.worker_process"
#: What a worker process takes on 64-bit Linux, rounded up.
MEMORY_MB: Final = 120
#: A process has ended itself long before; after this time it is killed.
_CLOSE_TIMEOUT_S: Final = 0.5
#: One core each, as they are meant to have; the libraries would start threads for all.
_ONE_THREAD: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class _Process:
    """A worker process and our end of its socket."""

    popen: subprocess.Popen[bytes]
    connection: "Connection[Order | Cancel, Answer]"


@dataclass(frozen=True)
class _Expected:
    """An order under way, and who wants the answer."""

    worker: int
    answered: Callable[[Answer], None]


class ProcessPool:
    """`count` worker processes, driven by one thread.

    shared : what they compute in
    batch  : most nonces that one of them searches together

    Raises `DeviceError` when they cannot be started, and from every method but `cancel` and `close`
    once one of them has ended unasked: the others are ended then, too.
    """

    def __init__(self, count: int, shared: SharedRooms, batch: int) -> None:
        self.count = count
        self._numbers = itertools.count(1)
        self._expected: dict[int, _Expected] = {}
        self._stages = NO_TIME
        self._failure: DeviceError | None = None
        self._processes: list[_Process] = []
        self._selector = selectors.DefaultSelector()
        # A pool that is forgotten ends its processes too. When the program ends, the system closes
        # their connections; to do it before would take them from threads that still compute.
        self._finalizer = weakref.finalize(self, _end, self._processes, self._selector)
        self._finalizer.atexit = False
        try:
            for worker in range(count):
                self._processes.append(_start(shared, batch))
                self._selector.register(
                    self._processes[worker].connection, selectors.EVENT_READ, worker
                )
            for worker in range(count):
                self._receive(worker)  # that it has started
        except BaseException:
            self.close()
            raise
        _log.debug("NumPy computes in the processes %s", self.process_ids)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the workers."""
        return tuple(process.popen.pid for process in self._processes)

    def send(self, worker: int, command: Command, answered: Callable[[Answer], None]) -> int:
        """Order worker 0 … count−1 to do something; returns the order's number.

        answered : called from `wait`, once
        """
        self._refuse_if_ended()
        number = next(self._numbers)
        self._expected[number] = _Expected(worker, answered)
        try:
            self._processes[worker].connection.send(Order(number, command))
        except OSError:
            raise self._fail(worker) from None
        return number

    def cancel(self, number: int) -> None:
        """Have an order given up, unless it was answered; the answer comes soon."""
        expected = self._expected.get(number)
        if expected is not None and self._finalizer.alive:
            # That the process is gone is for `wait` to say.
            with contextlib.suppress(OSError):
                self._processes[expected.worker].connection.send(Cancel(number))

    def wait(self, seconds: float) -> None:
        """Take what is answered; wait for it, `seconds` at most."""
        self._refuse_if_ended()
        for key, _ in self._selector.select(seconds):
            answer = self._receive(key.data)
            self._stages = _sum(self._stages, answer.stages)
            self._expected.pop(answer.number).answered(answer)

    def stage_seconds(self) -> StageSeconds:
        """What the answered orders took since the last call, mean of the processes."""
        total, self._stages = self._stages, NO_TIME
        return StageSeconds(
            total.tables / self.count, total.search / self.count, total.finishing / self.count
        )

    def close(self) -> None:
        """End the processes. Idempotent."""
        self._finalizer()

    def _receive(self, worker: int) -> Answer:
        try:
            return self._processes[worker].connection.recv()
        except (EOFError, OSError):
            raise self._fail(worker) from None

    def _fail(self, worker: int) -> DeviceError:
        """End all, because one has ended."""
        self.close()
        self._failure = DeviceError(_what_happened(self._processes[worker].popen, self.count))
        return self._failure

    def _refuse_if_ended(self) -> None:
        if self._failure is not None:
            raise self._failure
        if not self._finalizer.alive:
            raise DeviceError("the NumPy device is closed: open it again to compute with it")


def _sum(first: StageSeconds, second: StageSeconds) -> StageSeconds:
    return StageSeconds(
        first.tables + second.tables,
        first.search + second.search,
        first.finishing + second.finishing,
    )


def _start(shared: SharedRooms, batch: int) -> _Process:
    """Start a worker process; it is ready when its first answer comes."""
    ours, theirs = socket.socketpair()
    descriptors = (theirs.fileno(), shared.file)
    numbers = (*descriptors, len(shared.rooms), batch, os.getpid())
    # It finds modules where we do, wherever that is and whatever lies in the working directory.
    environment = {
        **os.environ,
        **_ONE_THREAD,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    # Ctrl-C goes to all processes of a terminal and a service manager's stop to all of a service,
    # also to one that is only just starting. It inherits our mask.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        popen = subprocess.Popen(
            [sys.executable, "-P", "-m", _WORKER, *map(str, numbers)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=descriptors,
            env=environment,
        )
    except OSError as error:
        ours.close()
        raise DeviceError(
            f"a worker process of the NumPy device does not start: {error}. "
            "Use fewer cores (-t), or allow more processes (ulimit -u)."
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
    return _Process(popen, Connection(ours.detach()))


def _end(processes: list[_Process], selector: selectors.BaseSelector) -> None:
    """Processes end when their connection does."""
    selector.close()
    for process in processes:
        process.connection.close()
    deadline = time.monotonic() + _CLOSE_TIMEOUT_S
    for process in processes:
        try:
            process.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()


def _what_happened(process: subprocess.Popen[bytes], count: int) -> str:
    """Why a worker is gone, and what can be done about it."""
    status = process.returncode
    if status < 0:
        how = f"was killed by signal {-status} ({signal.strsignal(-status)})"
        why = "The system does so when memory runs out"
    else:
        how = f"ended with status {status}"
        why = "What it said is above, if anything; memory may have run out"
    return (
        f"worker process {process.pid} of the NumPy device {how}. {why}: each of the {count} needs "
        f"{MEMORY_MB} MB. Start again, with fewer cores (-t) if memory is short."
    )
