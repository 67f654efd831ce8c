"""Worker processes end when they should, and only then; what they cannot do is told."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from numpy_jobs import JOBS, job_of, prepare, root_of

from packetcrypt.kernels.numpy import process_pool
from packetcrypt.kernels.numpy.process_backend import NumpyProcessKernels
from packetcrypt.kernels.numpy.process_pool import ProcessPool
from packetcrypt.kernels.numpy.shared_rooms import SharedRooms
from packetcrypt.kernels.numpy.worker_messages import Answer, SearchBatch
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.validation import AnnouncementCheck

BAD_VERSION = AnnouncementCheck.BAD_VERSION.value
SMALL = Tuning(batch=256, work_items=2)
#: Nothing takes nearly so long; a test that waits in vain fails after it.
PATIENCE_S = 60.0

#: An embedder's program, without `if __name__ == "__main__"`: run again as the main module of a
#: child it would start children of its own. It tells the worker processes, and goes on as {rest}.
PROGRAM = """
import os, signal, sys, time
import numpy as np
from packetcrypt.kernels.numpy.process_backend import NumpyProcessKernels
from packetcrypt.kernels.tuning import Tuning

kernels = NumpyProcessKernels(Tuning(batch=256, work_items=2))
print(*kernels.process_ids, flush=True)
{rest}
"""
SLEEP = "time.sleep(600)"
FORK_AND_SLEEP = """
sleeper = os.fork()
if sleeper:
    print(sleeper, flush=True)
time.sleep(600)
"""
BUSY = """
from numpy_jobs import JOBS, job_of, prepare
prepared = prepare(kernels, job_of(JOBS[0]))
kernels.search(prepared, 0, kernels.max_launch)
print("searching", flush=True)
time.sleep(600)
"""
GO_ON_AFTER_A_SIGNAL = """
arrived = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: arrived.append(1))
print("ready", flush=True)
while not arrived:
    time.sleep(0.01)
print(kernels.check(np.zeros((3, 1024), np.uint8), np.zeros((3, 32), np.uint8)).results.tolist())
kernels.close()
"""


@pytest.fixture
def start() -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Starts the program with some ending, in a process group of its own."""
    started = []

    def start(rest: str) -> "subprocess.Popen[str]":
        support = Path(__file__).parents[2] / "support"
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(rest=rest)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(support)},
            start_new_session=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


def workers_of(program: "subprocess.Popen[str]") -> list[int]:
    assert program.stdout is not None
    line = program.stdout.readline()
    assert line, program.communicate()[1]
    return [int(word) for word in line.split()]


def alive(process: int) -> bool:
    """Whether it still runs: who died unwaited for, because its parent is gone, does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def ended(processes: list[int] | tuple[int, ...]) -> bool:
    """Wait for processes to end; whether they did."""
    deadline = time.monotonic() + PATIENCE_S
    while any(map(alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("rest", ["", "sys.exit(3)"], ids=["at its end", "by sys.exit"])
def test_they_end_with_a_program_that_forgot_to_close(
    start: Callable[[str], "subprocess.Popen[str]"], rest: str
) -> None:
    program = start(rest)
    workers = workers_of(program)
    assert len(workers) == 2
    _, errors = program.communicate(timeout=PATIENCE_S)
    assert ended(workers)
    assert errors == ""


@pytest.mark.parametrize("rest", [SLEEP, BUSY], ids=["idle", "at work"])
def test_they_end_when_the_program_is_killed(
    start: Callable[[str], "subprocess.Popen[str]"], rest: str
) -> None:
    program = start(rest)
    workers = workers_of(program)
    if rest is BUSY:
        assert program.stdout is not None
        assert program.stdout.readline() == "searching\n"
    program.kill()
    assert ended(workers)


def test_they_end_although_a_fork_of_the_killed_program_lives(
    start: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    program = start(FORK_AND_SLEEP)
    workers = workers_of(program)
    (sleeper,) = workers_of(program)
    program.kill()
    try:
        assert ended(workers)
        assert alive(sleeper)
    finally:
        os.kill(sleeper, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_for_the_program_to_answer(
    start: Callable[[str], "subprocess.Popen[str]"], number: signal.Signals
) -> None:
    program = start(GO_ON_AFTER_A_SIGNAL)
    workers = workers_of(program)
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    os.killpg(program.pid, number)
    output, errors = program.communicate(timeout=PATIENCE_S)
    assert (output, errors, program.returncode) == (f"{[BAD_VERSION] * 3}\n", "", 0)
    assert ended(workers)


def test_close_twice() -> None:
    kernels = NumpyProcessKernels(SMALL)
    kernels.close()
    assert not any(map(alive, kernels.process_ids))
    kernels.close()
    with pytest.raises(DeviceError, match="closed"):
        prepare(kernels, job_of(JOBS[0]))


def test_a_preparation_may_be_given_up_after_the_end() -> None:
    kernels = NumpyProcessKernels(SMALL)
    steps = kernels.prepare(job_of(JOBS[0]), 0)
    next(steps)
    kernels.close()
    steps.close()


def test_forgotten_ones_end() -> None:
    kernels = NumpyProcessKernels(SMALL)
    processes = kernels.process_ids
    del kernels
    gc.collect()
    assert ended(processes)


def test_from_any_thread() -> None:
    results = []

    def work() -> None:
        kernels = NumpyProcessKernels(SMALL)
        results.append(prepare(kernels, job_of(JOBS[0])).root)
        kernels.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE_S)
    assert results == [root_of(JOBS[0])]


@pytest.mark.parametrize("asked", ["search", "prepare"])
def test_one_that_is_killed_ends_them_all(asked: str) -> None:
    kernels = NumpyProcessKernels(SMALL)
    prepared = prepare(kernels, job_of(JOBS[0]))

    def ask() -> object:
        if asked == "search":
            launch = kernels.search(prepared, 0, kernels.max_launch)
            os.kill(kernels.process_ids[1], signal.SIGKILL)
            return launch.result()
        steps = kernels.prepare(job_of(JOBS[1]), 1)
        next(steps)
        os.kill(kernels.process_ids[1], signal.SIGKILL)
        return list(steps)

    killed = kernels.process_ids[1]
    with pytest.raises(DeviceError, match=rf"{killed}.* killed by signal 9 .*memory.*fewer cores"):
        ask()
    assert not any(map(alive, kernels.process_ids))
    with pytest.raises(DeviceError, match="signal 9"):
        kernels.search(prepared, 0, 1)
    kernels.close()


def test_what_goes_wrong_in_one_is_told(pool: ProcessPool) -> None:
    answers: list[Answer] = []
    pool.send(0, SearchBatch(job_of(JOBS[0]), bytes(64), 99, 0, 1), answers.append)
    pool.send(0, SearchBatch(job_of(JOBS[0]), bytes(64), 0, 0, 1), answers.append)
    while len(answers) < 2:
        pool.wait(1)
    assert isinstance(answers[0].error, DeviceError)
    assert "IndexError" in str(answers[0].error)
    assert "worker_process.py" in answers[0].error.__notes__[0]
    assert answers[1].error is None  # it went on


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    shared = SharedRooms(2)
    pool = ProcessPool(1, shared, 256)
    shared.close()
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("executable", "message"),
    [
        pytest.param("/nonexistent/python", "does not start: .*nonexistent", id="none"),
        pytest.param("/bin/false", "ended with status 1", id="another program"),
    ],
)
def test_processes_that_do_not_start(
    monkeypatch: pytest.MonkeyPatch, executable: str, message: str
) -> None:
    monkeypatch.setattr(process_pool.sys, "executable", executable)
    with pytest.raises(DeviceError, match=message):
        NumpyProcessKernels(SMALL)
