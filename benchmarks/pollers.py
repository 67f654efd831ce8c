#!/usr/bin/env python3
"""How long do 2000 miners wait for a master: for its configuration, and for work after a block?

    benchmarks/pollers.py --miners 2000 --seconds 60 --blocks 6

runs `packetcrypt devchain` and `packetcrypt master` as processes of their own, and as many miners
in this one. Each has two connections, as a mining program has: one asks for config.json every five
seconds (miners' phases are random), the other waits for the next height's work. The master has one
core for itself; the node and the miners share the other. Measured are

    config  from sending the request until the whole answer is there; `waking`: those of them that
            were under way while miners got new work
    wake    from asking the node for a block until a miner has the new work file whole: what the
            node and the master's `poll_interval` take is in it. `first` is the quickest miner's,
            `all` the slowest one's
    lag     how late this process's own event loop was: answers may have come so much earlier

Errors are answers other than the expected, and connections that broke; both are counted.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from packetcrypt.protocol.work_file import BlockWork

COMMAND = Path(sys.executable).parent / "packetcrypt"
HOST = "127.0.0.1"
USER, PASSWORD = "x", "measured"
LAG_STEP = 0.005
SPARE_FILES = 100
STOCK_FILES = 1024
"""open files that systems allow a service which does not ask for more"""
RETRY_SECONDS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--miners", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=60.0, help="default: %(default)s")
    parser.add_argument("--blocks", type=int, default=6, help="in that time (%(default)s)")
    parser.add_argument("--poll-every", type=float, default=5.0, help="seconds (%(default)s)")
    parser.add_argument("--poll-interval", type=float, help="the master's; default: its default")
    parser.add_argument("--cores", type=int, nargs=2, default=(0, 1), help="master, everybody else")
    parser.add_argument("--seed", type=int, default=1, help="of the phases (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {arguments.cores[1]})
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        node, master = free_port(), free_port()
        settings = Path(folder) / "pool.toml"
        settings.write_text(pool_settings(folder, node, master, arguments.poll_interval))
        settings.chmod(0o600)
        start(stack, "devchain", settings, arguments.cores[1])
        process = start(stack, "master", settings, arguments.cores[0])
        # Only now: the services start with the limit that systems give.
        allow_open_files(2 * arguments.miners + SPARE_FILES)
        load = Load(arguments, Rpc(node), master)
        result = asyncio.run(load.run(process))
    print(json.dumps(result) if arguments.json else readable(result))


def allow_open_files(wanted: int) -> None:
    """Raises this process's limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(
            f"error: {wanted} open files are needed, and this system allows {hard}: raise the hard "
            "limit (as root: ulimit -Hn 65536), or give fewer --miners"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port


def pool_settings(folder: str, node: int, master: int, poll_interval: float | None) -> str:
    poll = "" if poll_interval is None else f"poll_interval = {poll_interval}\n"
    return f"""\
master_url = "http://{HOST}:{master}"
root_workdir = "{folder}"
paymaker_http_password = "{PASSWORD}"
[devchain]
bind = "{HOST}:{node}"
[pktd]
url = "http://{HOST}:{node}"
user = "{USER}"
password = "{PASSWORD}"
[master]
paymaker_url = "http://{HOST}:1/paymaker"
bind = "{HOST}:{master}"
{poll}"""


def start(stack: ExitStack, service: str, settings: Path, core: int) -> subprocess.Popen[bytes]:
    """A service on that core, ended with the stack; what it says is shown."""
    pinned = ["prlimit", f"--nofile={STOCK_FILES}:", "taskset", "-c", str(core)]
    process = subprocess.Popen([*pinned, COMMAND, service, "-C", settings])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


class Rpc:
    """The node, as far as it is needed here."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def add_block(self) -> None:
        body = json.dumps({"id": 1, "method": "devchain_addblock", "params": []}).encode()
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        head = (
            f"POST / HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic {credentials}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection = await Connection.open(self._port)
        answer = await connection.ask(head.encode() + body)
        connection.close()
        assert answer.status == 200, answer.body


@dataclass(frozen=True)
class Answer:
    """When it was asked for and when it had come whole: seconds of the monotonic clock."""

    asked: float
    arrived: float
    status: int
    body: bytes


class Connection(asyncio.BufferedProtocol):
    """One connection to a server that says Content-Length; one request at a time.

    Much less than an HTTP client, so that 2000 of them leave their core idle.
    """

    _buffer = memoryview(bytearray(1 << 16))
    """of all connections: what comes is taken out at once"""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._asked = 0.0
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        _, protocol = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        return protocol

    async def ask(self, request: bytes) -> Answer:
        """ConnectionError if it broke."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._asked = time.monotonic()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self._received += self._buffer[:size]
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length or self._answer is None:
            return
        status = int(head.split(b" ", 2)[1])
        answer = Answer(self._asked, time.monotonic(), status, bytes(body))
        self._received.clear()
        if not self._answer.done():
            self._answer.set_result(answer)

    def connection_lost(self, _: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed by the master"))


@dataclass
class Block:
    """A block: when the node was asked for it, and the work for the next one as miners got it."""

    made: float
    works: list[Answer] = field(default_factory=list)

    @property
    def waits(self) -> list[float]:
        """Seconds, of each miner."""
        return [work.arrived - self.made for work in self.works]


class Load:
    """The miners, and what they see."""

    def __init__(self, arguments: argparse.Namespace, node: Rpc, port: int) -> None:
        self._arguments = arguments
        self._node = node
        self._port = port
        self._chance = random.Random(arguments.seed)
        self._configs: list[Answer] = []
        self._blocks: dict[int, Block] = {}
        self._lags: list[float] = []
        self._errors: Counter[str] = Counter()

    async def run(self, master: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Measures. Nothing counts before all miners are there."""
        height = await self._wait_for(master)
        miners = [
            asyncio.create_task(self._repeat(miner, self._chance.random() * every, height))
            for every in [self._arguments.poll_every]
            for _ in range(self._arguments.miners)
            for miner in (self._poll, self._wait_for_work)
        ]
        await asyncio.sleep(self._arguments.poll_every + RETRY_SECONDS)
        lagging = asyncio.create_task(self._watch_lag())
        began, cpu_began = time.monotonic(), processor_seconds(master.pid)
        await self._make_blocks(height)
        cpu = (processor_seconds(master.pid) - cpu_began) / (time.monotonic() - began)
        for task in (*miners, lagging):
            task.cancel()
        await asyncio.gather(*miners, lagging, return_exceptions=True)
        return self._result(began, cpu, resident(master.pid))

    async def _wait_for(self, master: subprocess.Popen[bytes]) -> int:
        """The height that is mined, as soon as the master has work."""
        async with asyncio.timeout(30):
            while True:
                if master.poll() is not None:
                    sys.exit("error: the master ended: see above")
                try:
                    connection = await Connection.open(self._port)
                    answer = await connection.ask(get("/config.json"))
                    connection.close()
                    if answer.status == 200:
                        return int(json.loads(answer.body)["currentHeight"])
                except ConnectionError:
                    pass
                await asyncio.sleep(0.1)

    async def _make_blocks(self, height: int) -> None:
        pause = self._arguments.seconds / (self._arguments.blocks + 1)
        for number in range(self._arguments.blocks):
            # Not at one point of the master's polling.
            await asyncio.sleep(pause * self._chance.uniform(0.8, 1.0))
            self._blocks[height + number + 1] = Block(time.monotonic())
            await self._node.add_block()
        await asyncio.sleep(pause)

    async def _repeat(self, miner: Any, delay: float, height: int) -> None:
        """A miner's connection, opened anew when it breaks."""
        await asyncio.sleep(delay)
        while True:
            connection = None
            try:
                connection = await Connection.open(self._port)
                await miner(connection, height)
            except OSError as error:
                self._errors[f"{type(error).__name__}: {error}"] += 1
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                if connection is not None:
                    connection.close()

    async def _poll(self, connection: Connection, _: int) -> None:
        request = get("/config.json")
        while True:
            answer = await connection.ask(request)
            if answer.status == 200:
                self._configs.append(answer)
            else:
                self._errors[f"config.json: {answer.status}"] += 1
            await asyncio.sleep(answer.asked + self._arguments.poll_every - time.monotonic())

    async def _wait_for_work(self, connection: Connection, height: int) -> None:
        while True:
            name = f"/work_{height + 1}.bin"
            answer = await connection.ask(get(name))
            if answer.status == 200:
                height += 1
                if height in self._blocks:
                    self._blocks[height].works.append(answer)
            elif answer.status != 300:
                self._errors[f"work: {answer.status}"] += 1
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch_lag(self) -> None:
        while True:
            due = time.monotonic() + LAG_STEP
            await asyncio.sleep(LAG_STEP)
            self._lags.append(time.monotonic() - due)

    def _result(self, began: float, cpu: float, memory: float) -> dict[str, Any]:
        configs = [answer for answer in self._configs if answer.asked >= began]
        wakes = [block.waits for block in self._blocks.values()]
        waking = [
            answer
            for answer in configs
            for block, waits in zip(self._blocks.values(), wakes, strict=True)
            if answer.arrived > block.made and answer.asked < block.made + max(waits, default=0.0)
        ]
        for height, block in self._blocks.items():
            self._count_wrong_work(height, block)
        return {
            "miners": self._arguments.miners,
            "config_ms": quantiles([answer.arrived - answer.asked for answer in configs]),
            "config_waking_ms": quantiles([answer.arrived - answer.asked for answer in waking]),
            "wake_ms": quantiles([seconds for wake in wakes for seconds in wake]),
            "wake_first_ms": [milliseconds(min(wake, default=0.0)) for wake in wakes],
            "wake_all_ms": [milliseconds(max(wake, default=0.0)) for wake in wakes],
            "lag_ms": quantiles(self._lags),
            "master_cpu": round(cpu, 3),
            "master_memory_MiB": round(memory),
            "errors": dict(self._errors),
        }

    def _count_wrong_work(self, height: int, block: Block) -> None:
        """Afterwards, so that looking at answers delays none."""
        missing = self._arguments.miners - len(block.works)
        wrong = sum(
            count
            for body, count in Counter(work.body for work in block.works).items()
            if BlockWork.decode(body).height != height
        )
        for kind, count in (("no work after a block", missing), ("wrong work", wrong)):
            if count:
                self._errors[kind] += count


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: */*\r\n\r\n".encode()


def milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 1)


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {"count": 0}
    p50, p90, p99, most = np.quantile(seconds, [0.5, 0.9, 0.99, 1.0]).tolist()
    return {
        "count": len(seconds),
        "p50": milliseconds(p50),
        "p90": milliseconds(p90),
        "p99": milliseconds(p99),
        "max": milliseconds(most),
    }


def processor_seconds(process: int) -> float:
    """Of all its threads until now."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def readable(result: dict[str, Any]) -> str:
    lines = [f"{result['miners']} miners"]
    for name in ("config", "config_waking", "wake", "lag"):
        figures = result[f"{name}_ms"]
        text = "  ".join(f"{key} {value:g}" for key, value in figures.items())
        lines.append(f"{name:14} {text}  (ms)")
    for name in ("wake_first", "wake_all"):
        lines.append(f"{name:14} {'  '.join(map(str, result[f'{name}_ms']))}  (ms, block by block)")
    lines.append(
        f"master         {result['master_cpu']:.1%} of a core, {result['master_memory_MiB']} MiB"
    )
    lines.append(f"errors         {result['errors'] or 'none'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
