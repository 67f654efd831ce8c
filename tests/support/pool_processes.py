"""A static pool, a handler and a miner as processes of their own, for end-to-end tests.

Run as a program, this file is the static pool's master: `pool_processes.py PORT SUBMIT_URL`.
"""

import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiohttp import web
from command_line import COMMAND
from static_pool import StaticPool, made_up_chain

ANN_TARGET = 0x2000FFFF


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LoggedProcess:
    """A process whose standard error is collected line by line."""

    def __init__(self, *command: str | Path) -> None:
        self._process = subprocess.Popen(
            list(map(str, command)), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._grown:
                self.lines.append(line.rstrip("\n"))
                self._grown.notify_all()

    def wait_for(
        self, wanted: Callable[[str], bool], *, after: int = 0, seconds: float = 240.0
    ) -> int:
        """The index of the first line from `after` on that is wanted; waits for it."""

        def found() -> int | None:
            return next((i for i in range(after, len(self.lines)) if wanted(self.lines[i])), None)

        with self._grown:
            self._grown.wait_for(lambda: found() is not None, seconds)
            index = found()
        assert index is not None, "\n".join(["it never said so:", *self.lines])
        return index

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        self._process.send_signal(number)
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.stop(signal.SIGKILL)


class PoolProcesses:
    """One pool: a master process and a handler process that can be killed and started again."""

    def __init__(self, folder: Path, name: str, device: str = "cpu") -> None:
        self._master_port, handler_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._master_port}"
        self.handler_url = f"http://127.0.0.1:{handler_port}"
        self._settings = folder / f"{name}.toml"
        self._settings.write_text(
            f'master_url = "{self.url}"\n'
            f'root_workdir = "{folder / name}"\n'
            'paymaker_http_password = "loopback"\n'
            "[ann_handler.ah0]\n"
            f'public_url = "{self.handler_url}"\n'
            f'bind = "127.0.0.1:{handler_port}"\n'
            f'devices = "{device}"\n'
        )
        self.processes: list[LoggedProcess] = []

    def start(self) -> None:
        """Start both; returns when the handler takes announcements."""
        port, submit_url = str(self._master_port), f"{self.handler_url}/submit"
        master = LoggedProcess(sys.executable, __file__, port, submit_url)
        handler = LoggedProcess(COMMAND, "ah", "-C", self._settings)
        self.processes += [master, handler]
        master.wait_for(lambda line: line == "listening")
        handler.wait_for(lambda line: "takes announcements at" in line)
        handler.wait_for(lambda line: "this is handler 0 of 1" in line)

    def kill(self) -> None:
        """SIGKILL to both."""
        for process in self.processes[-2:]:
            process.stop(signal.SIGKILL)

    def kill_all(self) -> None:
        """SIGKILL to whatever still runs."""
        for process in self.processes:
            process.__exit__()

    @property
    def log(self) -> list[str]:
        """Everything that master and handler said, over all their lives."""
        return [line for process in self.processes for line in process.lines]


@contextlib.contextmanager
def running_pools(*pools: PoolProcesses) -> Iterator[None]:
    """Start pools; kill what is left of them in the end."""
    with contextlib.ExitStack() as stack:
        for pool in pools:
            stack.callback(pool.kill_all)
            pool.start()
        yield


@dataclass(frozen=True)
class PoolEntry:
    """What one log line of the miner says about one pool."""

    overflow: int
    uploading: int
    accepted: int
    rejected: int
    overloaded: int
    goodrate: str


_LINE = re.compile(
    r"Ke/s .*overflow: \[(.*)\] uploading: \[(.*)\] accept/reject/overload: \[(.*)\] "
    r"- goodrate: \[(.*)\]"
)


def is_report(line: str) -> bool:
    """Whether a line is one of the miner's regular ones."""
    return _LINE.search(line) is not None


def pool_entries(line: str) -> list[PoolEntry]:
    """The entries of all pools in a regular line of the miner."""
    match = _LINE.search(line)
    assert match is not None, line
    overflow, uploading, answered, goodrate = (group.split(", ") for group in match.groups())
    return [
        PoolEntry(int(lost), int(flying), *map(int, answer.split("/")), rate)
        for lost, flying, answer, rate in zip(overflow, uploading, answered, goodrate, strict=True)
    ]


async def _serve(port: int, submit_url: str) -> None:
    pool = StaticPool(made_up_chain(), ann_target=ANN_TARGET, submit_ann_urls=[submit_url])
    runner = web.AppRunner(pool.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("listening", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
