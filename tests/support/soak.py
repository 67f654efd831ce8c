#!/usr/bin/env python3
"""Does a pool survive kill -9 of any of its services, at any moment, as often as one likes?

    python tests/support/soak.py --kills 50 --folder /tmp/soak

runs `packetcrypt devnet`, kills one of its services after another at random moments, and takes the
node away for a minute in two ways: it hangs (SIGSTOP), and nobody answers where it was. devnet
starts again what was killed. Proxies before the handlers and the chain write down what was
acknowledged; after the last kill everything that was must be in the ledger once and with the same
numbers, nothing else may be paid, and every block must be in the chain and the ledger. After a kill
of a handler the last post or share that it acknowledged is sent again, and must not pay again.

The end status is 0 if all is well, 1 if not; the folder with all logs is kept then.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from pool_record import LedgerView, PoolRecord, missing, problems
from recording_proxy import Exchange, RecordingProxy, recording_proxy

from packetcrypt.client.pktd import PktdClient, PktdSettings, pktd_client
from packetcrypt.protocol.pool_messages import AnnouncementPostReply
from packetcrypt.protocol.share_messages import ShareReply

HANDLERS = ("ah0", "ah1")
SERVICES = ("devchain", "master", "paymaker", *HANDLERS, "bh0", "ann", "blk")
RECOVERY_SECONDS = 60.0
SETTLE_SECONDS = 90.0
MINERS_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """What is done to the pool.

    services      : that are killed, in turn
    pauses        : from the recovery of one service to the kill of the next, shortest and longest
    away          : seconds that the node is away, each time; 0: not at all
    block_seconds : of the chain
    """

    kills: int
    seed: int
    services: Sequence[str] = SERVICES
    pauses: tuple[float, float] = (0.5, 8.0)
    away: float = 60.0
    block_seconds: float = 15.0


@dataclass
class Outcome:
    """What was done, and what is wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    replays: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """For a person."""
        slowest = max(self.recoveries, default=0.0)
        median = statistics.median(self.recoveries or [0.0])
        lines = [
            f"kills       {sum(self.kills.values())}: {_counted(self.kills)}",
            f"recovery    median {median:.1f} s, slowest {slowest:.1f} s",
            f"sent again  {_counted(self.replays) or 'nothing'}",
            *(f"{name:11} {count}" for name, count in self.counts.items()),
            *(f"WRONG       {text}" for text in self.wrong[:40]),
            f"{'FAILED' if self.wrong else 'all is well'}",
        ]
        return "\n".join(lines)


class Devnet:
    """A running devnet behind proxies, as those see it who try to hurt it."""

    def __init__(
        self, folder: Path, record: PoolRecord, session: aiohttp.ClientSession, node: PktdClient
    ) -> None:
        self.folder = folder
        self.record = record
        self.session = session
        self.node = node
        self.chain_proxy: RecordingProxy | None = None

    def process(self, name: str) -> int:
        """Its process id now."""
        pid: int = self.services()[name]["pid"]
        return pid

    def services(self) -> dict[str, Any]:
        services: dict[str, Any] = json.loads((self.folder / "devnet.json").read_text())["services"]
        return services

    async def is_up(self, name: str) -> bool:
        """Whether it answers; a miner has no port, and is up when it runs."""
        url = self.services()[name]["url"]
        if url is None:
            return True
        try:
            timeout = aiohttp.ClientTimeout(total=2.0)
            async with self.session.get(f"{url}/health", timeout=timeout) as response:
                return response.status < 500
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def kill(self, name: str) -> float:
        """Kills it; returns after how many seconds another process of its name was up."""
        process, began = self.process(name), time.monotonic()
        os.kill(process, signal.SIGKILL)
        async with asyncio.timeout(RECOVERY_SECONDS):
            while (  # noqa: ASYNC110 - other processes tell nobody
                self.process(name) == process or not await self.is_up(name)
            ):
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def chain(self) -> list[bytes]:
        """Hashes of its blocks, the tip first."""
        wanted: bytes | None = await self.node.best_block_hash()
        hashes = list[bytes]()
        while wanted is not None:
            hashes.append(wanted)
            wanted = (await self.node.block_header(wanted)).previous_hash
        return hashes


@asynccontextmanager
async def running_devnet(folder: Path, plan: Plan) -> AsyncIterator[Devnet]:
    """A devnet whose handlers and chain are reached through recording proxies; it mines."""
    record = PoolRecord()
    async with AsyncExitStack() as stack:
        handlers = [
            await stack.enter_async_context(recording_proxy(record.note_announcement_handler))
            for _ in HANDLERS
        ]
        shares = await stack.enter_async_context(recording_proxy(record.note_block_handler))
        chain = await stack.enter_async_context(recording_proxy(record.note_chain))
        environment = {
            **os.environ,
            "PACKETCRYPT__BLOCK_HANDLER__BH0__PUBLIC_URL": shares.url,
            "PACKETCRYPT__PKTD__URL": chain.url,
        }
        for name, proxy in zip(HANDLERS, handlers, strict=True):
            environment[f"PACKETCRYPT__ANN_HANDLER__{name.upper()}__PUBLIC_URL"] = proxy.url
        # The file says where the services listen before the first of them asks another.
        log = stack.enter_context((folder / "devnet.log").open("wb"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "packetcrypt.cli", "devnet", "--folder", str(folder / "pool")),
            *("--handlers", str(len(HANDLERS)), "--block-seconds", str(plan.block_seconds)),
            *("--device", "cpu", "-t", "1"),
            stdout=log,
            stderr=log,
            env=environment,
            process_group=0,
        )
        stack.push_async_callback(_stop, process)
        settings = await _settings(folder / "pool" / "pool.toml", process)
        for name, proxy in zip(HANDLERS, handlers, strict=True):
            proxy.upstream = "http://" + settings["ann_handler"][name]["bind"]
        shares.upstream = "http://" + settings["block_handler"]["bh0"]["bind"]
        chain.upstream = "http://" + settings["devchain"]["bind"]
        pktd = PktdSettings(
            url=chain.upstream, user=settings["pktd"]["user"], password=settings["pktd"]["password"]
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        node = await stack.enter_async_context(pktd_client(pktd))
        devnet = Devnet(folder / "pool", record, session, node)
        devnet.chain_proxy = chain
        await _mining(devnet, process)
        yield devnet


async def run(folder: Path, plan: Plan) -> Outcome:
    """Runs a devnet in the folder, does to it what the plan says, and looks what came of it."""
    chance, outcome = random.Random(plan.seed), Outcome()
    async with running_devnet(folder, plan) as devnet:
        say(f"the pool mines in {folder}; seed {plan.seed}")
        away = set(_middle(plan.kills)) if plan.away else set()
        for number, name in enumerate(_turns(plan, chance)):
            await asyncio.sleep(chance.uniform(*plan.pauses))
            if number in away:
                await _take_node_away(devnet, plan.away, hanging=number == min(away))
            await _kill(devnet, name, outcome)
            await _send_again(devnet, name, outcome)
            say(
                f"{number + 1}/{plan.kills} {name}: up after {outcome.recoveries[-1]:.1f} s; "
                f"{len(devnet.record.posts)} posts, {len(devnet.record.shares)} shares, "
                f"{len(devnet.record.blocks)} blocks"
            )
        await _settle(devnet, outcome)
    return outcome


def _turns(plan: Plan, chance: random.Random) -> Iterator[str]:
    """Every service in turn, in another order each time."""
    turns: list[str] = []
    for _ in range(plan.kills):
        turns = turns or chance.sample(plan.services, len(plan.services))
        yield turns.pop()


def _middle(kills: int) -> Iterator[int]:
    yield kills // 3
    yield 2 * kills // 3


async def _kill(devnet: Devnet, name: str, outcome: Outcome) -> None:
    outcome.kills[name] += 1
    try:
        outcome.recoveries.append(await devnet.kill(name))
    except TimeoutError:
        outcome.recoveries.append(RECOVERY_SECONDS)
        outcome.wrong.append(f"{name} was not up {RECOVERY_SECONDS:g} s after kill -9")


async def _take_node_away(devnet: Devnet, seconds: float, *, hanging: bool) -> None:
    """It hangs, or nobody is there."""
    say(f"the node is away for {seconds:g} s: {'it hangs' if hanging else 'nobody answers'}")
    proxy = devnet.chain_proxy
    assert proxy is not None
    process, upstream = devnet.process("devchain"), proxy.upstream
    if hanging:
        os.kill(process, signal.SIGSTOP)
    else:
        proxy.upstream = "http://127.0.0.1:1"
    try:
        await asyncio.sleep(seconds)
    finally:
        proxy.upstream = upstream
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


async def _send_again(devnet: Devnet, name: str, outcome: Outcome) -> None:
    """What a handler acknowledged before it was killed pays nothing again."""
    record = devnet.record
    exchange = {**dict.fromkeys(HANDLERS, record.last_post), "bh0": record.last_share}.get(name)
    if exchange is None:
        return
    # A post goes to whom it went before, which may be the other handler.
    for url in _urls_for(devnet, name):
        answer = await _post(devnet.session, url, exchange)
        if answer is None:
            continue
        if name == "bh0":
            share = ShareReply.decode(answer).result
            kind = "shares refused" if share is None else "shares answered as before"
            before = ShareReply.decode(exchange.answer).result
            # Judged anew if the paymaker has the first one already, which knows it by its id.
            if share is not None and before != replace(share, time=before.time if before else 0):
                outcome.wrong.append(f"a share sent again was answered {share}, before {before}")
        else:
            post = AnnouncementPostReply.decode(answer).result
            kind = "posts credited nothing"
            if post is not None and post.accepted:
                outcome.wrong.append(f"{post.accepted} announcements were credited again: {post}")
        outcome.replays[kind] += 1


def _urls_for(devnet: Devnet, name: str) -> list[str]:
    """Past the proxies: it is not a miner that does this."""
    services = devnet.services()
    return [services[one]["url"] for one in (HANDLERS if name in HANDLERS else (name,))]


async def _post(session: aiohttp.ClientSession, url: str, exchange: Exchange) -> bytes | None:
    try:
        timeout = aiohttp.ClientTimeout(total=20.0)
        async with session.post(
            url + exchange.path, data=exchange.request, headers=exchange.headers, timeout=timeout
        ) as response:
            return await response.read()
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None


async def _settle(devnet: Devnet, outcome: Outcome) -> None:
    """The pool must go on by itself, and everything acknowledged get into the ledger."""
    record = devnet.record
    before = (len(record.posts), len(record.shares), len(record.blocks), record.payouts)
    names = ("posts", "shares", "blocks", "payouts")
    ends = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < ends:
        now = (len(record.posts), len(record.shares), len(record.blocks), record.payouts)
        if all(new > old for new, old in zip(now, before, strict=True)):
            break
        await asyncio.sleep(0.5)
    else:
        outcome.wrong += [
            f"no new {name} in {SETTLE_SECONDS:g} s after the last kill"
            for name, new, old in zip(names, now, before, strict=True)
            if new <= old
        ]
    # What is acknowledged from here on may be on its way to the ledger when it is read.
    known = PoolRecord(
        posts=dict(record.posts), shares=dict(record.shares), blocks=Counter(record.blocks)
    )
    ends = time.monotonic() + SETTLE_SECONDS
    while (  # noqa: ASYNC110 - the paymaker tells nobody
        missing(known, LedgerView.read(devnet.folder)) and time.monotonic() < ends
    ):
        await asyncio.sleep(0.5)
    ledger, chain = LedgerView.read(devnet.folder), await devnet.chain()
    known.bodies, known.changed, known._keys = record.bodies, record.changed, record._keys
    outcome.wrong += problems(known, ledger, set(chain))
    won = set(ledger.won)
    outcome.counts |= {
        "posts": len(known.posts),
        "announcements": sum(int(numbers[1]) for numbers in known.posts.values()),
        "shares": len(known.shares),
        "blocks": len(known.blocks),
        "  finder unknown": len(known.blocks.keys() - won),
        "payouts": record.payouts,
        "unanswered": record.unanswered,
    }


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), 60)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _settings(path: Path, process: asyncio.subprocess.Process) -> Mapping[str, Any]:
    """The devnet's pool.toml, as soon as it is written."""
    async with asyncio.timeout(60):
        while not path.exists():  # noqa: ASYNC240 - a file of a few bytes
            if process.returncode is not None:
                raise RuntimeError(f"devnet ended: see {path.parent.parent}/devnet.log")
            await asyncio.sleep(0.02)
    return tomllib.loads(path.read_text())  # noqa: ASYNC240 - likewise


async def _mining(devnet: Devnet, process: asyncio.subprocess.Process) -> None:
    """Until posts and shares are acknowledged."""
    async with asyncio.timeout(MINERS_SECONDS):
        while not (devnet.record.posts and devnet.record.shares):
            if process.returncode is not None:
                raise RuntimeError(f"devnet ended: see {devnet.folder.parent}/devnet.log")
            await asyncio.sleep(0.1)


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--away", type=float, default=60.0, help="seconds without the node")
    parser.add_argument("--block-seconds", type=float, default=15.0, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="kept; default: a new one, kept on failure")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if arguments.seed is None else arguments.seed
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="packetcrypt-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(arguments.kills, seed, away=arguments.away, block_seconds=arguments.block_seconds)
    try:
        outcome = asyncio.run(run(folder, plan))
    except KeyboardInterrupt:
        say(f"stopped; everything is in {folder}")
        return 130
    print(f"seed        {seed}\n{outcome.text()}")
    if outcome.wrong:
        print(f"the evidence is in {folder}")
    elif arguments.folder is None:
        shutil.rmtree(folder)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
