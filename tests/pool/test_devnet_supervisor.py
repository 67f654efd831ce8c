"""Processes under one supervisor: started in order and again, stopped in reverse, no orphans."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from packetcrypt.pool import devnet_service
from packetcrypt.pool.devnet_service import Service, ServiceFailed
from packetcrypt.pool.devnet_supervisor import RECORD, Supervisor, supervising

SLEEPER = "import time; print('is up', flush=True); time.sleep(600)"
POLITE = """
import os, signal, sys, time
def end(*_):
    print('ends', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('is up', flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print('is up, helper', helper.pid, flush=True)
time.sleep(600)
"""
ENDS_AT_ONCE = "import sys; print('a reason', file=sys.stderr); sys.exit(3)"


def service(name: str, program: str, **others: Any) -> Service:
    command = (sys.executable, "-c", program)
    return Service(**{"name": name, "command": command, "stop_seconds": 20.0, **others})


class Run:
    """A supervisor and what it has shown."""

    def __init__(self, supervisor: Supervisor, folder: Path, shown: list[tuple[str, str]]) -> None:
        self.supervisor = supervisor
        self.shown = shown
        self._folder = folder

    def record(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads((self._folder / RECORD).read_text())
        return content

    def pid(self, name: str) -> int:
        process_id: int = self.record()["services"][name]["pid"]
        return process_id

    async def said(self, name: str, text: str) -> str:
        """The first line of a service that contains the text."""
        async with asyncio.timeout(60):
            while True:
                for who, line in self.shown:
                    if who == name and text in line:
                        return line
                await asyncio.sleep(0.02)


Supervise = Callable[..., AbstractAsyncContextManager[Run]]


@pytest.fixture
def supervise(tmp_path: Path) -> Supervise:
    @asynccontextmanager
    async def run(*stages: list[Service]) -> AsyncIterator[Run]:
        shown: list[tuple[str, str]] = []
        show = lambda name, line: shown.append((name, line))  # noqa: E731
        async with supervising(stages, tmp_path, show, "http://127.0.0.1:1/") as supervisor:
            yield Run(supervisor, tmp_path, shown)

    return run


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - other processes bring it about
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_a_stage_starts_when_the_one_before_is_ready(supervise: Supervise) -> None:
    slow = "import time; time.sleep(0.5); print('is up', flush=True); time.sleep(600)"
    async with supervise(
        [service("first", slow, ready="is up")], [service("second", SLEEPER, ready="is up")]
    ) as run:
        await run.supervisor.start()
        assert run.shown == [("first", "is up"), ("second", "is up")]


async def test_all_have_ended_afterwards_the_last_started_first(supervise: Supervise) -> None:
    stages = [[service(name, POLITE, ready="is up")] for name in ("chain", "pool", "miner")]
    async with supervise(*stages) as run:
        await run.supervisor.start()
        pids = [run.pid(name) for name in ("chain", "pool", "miner")]
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))
    assert run.shown[3:] == [("miner", "ends"), ("pool", "ends"), ("chain", "ends")]


async def test_one_that_does_not_end_in_time_is_killed_with_what_it_started(
    supervise: Supervise, caplog: pytest.LogCaptureFixture
) -> None:
    async with supervise([service("deaf", STUBBORN, ready="is up", stop_seconds=0.2)]) as run:
        await run.supervisor.start()
        helper = int((await run.said("deaf", "helper")).split()[-1])
    assert "deaf did not end within 0.2 s; it is killed" in caplog.messages
    await until(lambda: not is_alive(helper))
    assert not is_alive(run.pid("deaf"))


async def test_one_that_dies_is_started_again(
    supervise: Supervise, caplog: pytest.LogCaptureFixture
) -> None:
    async with supervise([service("handler", SLEEPER, ready="is up")]) as run:
        await run.supervisor.start()
        first = run.pid("handler")
        os.kill(first, signal.SIGKILL)
        await until(lambda: run.pid("handler") != first)
        await until(lambda: run.shown.count(("handler", "is up")) == 2)
        assert is_alive(run.pid("handler"))
    said = "handler ended by itself (by SIGKILL); it is started again in 0.5 s (failure 1 of 5"
    assert said in caplog.text


async def test_one_that_dies_again_and_again_is_given_up(
    supervise: Supervise, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(devnet_service, "FIRST_PAUSE", 0.01)
    async with supervise(
        [service("chain", SLEEPER, ready="is up")],
        [service("miner", ENDS_AT_ONCE, ready="is up")],
    ) as run:
        starting = asyncio.create_task(run.supervisor.start())
        with pytest.raises(ServiceFailed, match="miner ended 6 times in a row") as failed:
            await run.supervisor.failure()
        starting.cancel()
    assert "with exit status 3. It said:\n  a reason" in str(failed.value)
    assert failed.value.exit_code == 3
    pauses = [line.split(" again in ")[1] for line in caplog.messages]
    assert pauses == [
        f"{0.01 * 2**number:g} s (failure {number + 1} of 5 in a row)" for number in range(5)
    ]
    assert not is_alive(run.pid("chain"))


async def test_stopping_does_not_wait_for_a_pause(
    supervise: Supervise, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(devnet_service, "FIRST_PAUSE", 600.0)
    monkeypatch.setattr(devnet_service, "LONGEST_PAUSE", 600.0)
    async with asyncio.timeout(60), supervise([service("miner", ENDS_AT_ONCE)]) as run:
        await run.supervisor.start()
        await until(lambda: "started again in 600 s" in caplog.text)
    assert run.shown == [("miner", "a reason")]


async def test_what_runs_is_on_record(supervise: Supervise, tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/ah0"
    async with supervise([service("ah0", SLEEPER, ready="is up", url=url)]) as run:
        assert run.record() == {"services": {}, "pool_page": "http://127.0.0.1:1/"}
        await run.supervisor.start()
        (entry,) = run.record()["services"].values()
    assert entry["url"] == url
    assert entry["command"] == [sys.executable, "-c", SLEEPER]
    assert (tmp_path / "logs" / "ah0.log").read_text() == "is up\n"


async def test_a_service_gets_its_variables(supervise: Supervise) -> None:
    program = "import os; print(os.environ['WORD'], flush=True)"
    miner = service("blk", program, environment={"WORD": "between us"})
    assert "between us" not in repr(miner)
    async with supervise([miner]) as run:
        await run.supervisor.start()
        await run.said("blk", "between us")


async def test_what_was_there_before_is_not_shown_again(
    supervise: Supervise, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "ah0.log").write_text("an earlier run\n")
    async with supervise([service("ah0", SLEEPER, ready="is up")]) as run:
        await run.supervisor.start()
        assert run.shown == [("ah0", "is up")]
    assert (tmp_path / "logs" / "ah0.log").read_text() == "an earlier run\nis up\n"


SUPERVISOR_PROGRAM = """
import asyncio, sys
from pathlib import Path
from packetcrypt.pool.devnet_service import Service
from packetcrypt.pool.devnet_supervisor import supervising

async def main():
    command = (sys.executable, '-c', sys.argv[2])
    service = Service(name='deaf', command=command, ready='is up', stop_seconds=60.0)
    async with supervising([[service]], Path(sys.argv[1]), print, '') as supervisor:
        await supervisor.start()
        print('running', flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
IGNORES_EVERYTHING = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print('is up', flush=True)
time.sleep(600)
"""


def test_no_orphan_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR_PROGRAM, tmp_path, IGNORES_EVERYTHING],
        stdout=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert supervisor.stdout is not None
        assert any(line == "running\n" for line in iter(supervisor.stdout.readline, ""))
        pid = json.loads((tmp_path / RECORD).read_text())["services"]["deaf"]["pid"]
        assert is_alive(pid)
        supervisor.kill()
    asyncio.run(until(lambda: not is_alive(pid)))


def test_a_service_whose_supervisor_is_gone_already_does_not_start() -> None:
    launcher = Path(devnet_service.devnet_launcher.__file__)
    not_its_parent = os.getppid()
    ended = subprocess.run(
        [sys.executable, launcher, str(not_its_parent), sys.executable, "-c", "print('started')"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == ""
