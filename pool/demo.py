"""What `packetcrypt demo` runs: a static pool, one announcement handler and a miner, on loopback.

All of it is the real thing but the chain: real HTTP, real devices, real checks, files in a
temporary folder. One process and one event loop, so that it starts fast and stops whole.
"""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from packetcrypt.client.daemon_thread import run_in_daemon_thread
from packetcrypt.engine import AnnouncementEngine, DeviceInfo
from packetcrypt.engine.statistics import EngineStatistics
from packetcrypt.handler.service import running_ann_handler
from packetcrypt.handler.settings import AnnHandlerSettings, PoolSettings
from packetcrypt.miner.announcement_miner import AnnouncementMiner
from packetcrypt.miner.log_line import MinerReport
from packetcrypt.miner.settings import AnnouncementMinerSettings
from packetcrypt.pool.static_pool import StaticPool, made_up_chain
from packetcrypt.protocol.address import WitnessProgram, format_address
from packetcrypt.protocol.primitives import h32

ANN_TARGET: Final = 0x20001FFF
"""Difficulty 2048: hundreds of announcements in half a minute even on NumPy, and few enough from a
fast device that checking them costs little of it."""

PAYMENT_ADDRESS: Final = format_address(WitnessProgram(0, h32(b"packetcrypt demo")))
"""An address that nobody has the key of."""

_LOOPBACK: Final = "127.0.0.1"
_LINE_SECONDS: Final = 1.0


@dataclass(frozen=True)
class DemoReport:
    """What the demo did so far.

    mining : the miner's counts since its start, one pool
    engine : the devices' counters
    """

    devices: tuple[DeviceInfo, ...]
    mining: MinerReport
    engine: EngineStatistics
    hashes_per_second: float

    def summary(self) -> str:
        """For the end: several lines."""
        (pool,) = self.mining.pools
        goodrate = pool.counts.goodrate
        rows = {
            "device": ", ".join(str(device) for device in self.devices),
            "speed": f"{self.hashes_per_second / 1000:.0f} Ke/s",
            "announcements": f"{self.engine.announcements} found",
            "accepted": str(pool.counts.accepted),
            "rejected": str(pool.counts.rejected),
            "overloaded": str(pool.counts.overloaded),
            "lost": str(pool.counts.lost),
            "goodrate": "-" if goodrate is None else f"{goodrate:.0%}",
        }
        return "\n".join(f"{name:14} {value}" for name, value in rows.items())


async def run_demo(
    seconds: float,
    devices: tuple[str, ...],
    threads: int | None,
    show: Callable[[DemoReport], None],
    stop: asyncio.Event,
) -> DemoReport:
    """Mine for `seconds` after the devices are ready, or until `stop`.

    show : called every second with what was done so far

    Raises what the handler and the miner raise, and `DeviceError` when no device works.
    """
    with tempfile.TemporaryDirectory(prefix="packetcrypt-demo-") as folder:
        async with _running_pool(Path(folder), devices, threads) as master_url:
            engine = await run_in_daemon_thread(AnnouncementEngine, devices, threads)
            with engine:
                settings = AnnouncementMinerSettings(
                    payment_addr=PAYMENT_ADDRESS, pools=(master_url,), devices=devices
                )
                miner = AnnouncementMiner(settings, engine)
                return await _mine(miner, engine, seconds, show, stop)


async def _mine(
    miner: AnnouncementMiner,
    engine: AnnouncementEngine,
    seconds: float,
    show: Callable[[DemoReport], None],
    stop: asyncio.Event,
) -> DemoReport:
    mining = asyncio.create_task(miner.run())
    stopping = asyncio.create_task(stop.wait())
    first: EngineStatistics | None = None
    last = engine.statistics()
    try:
        while not (stopping.done() or mining.done()):
            await asyncio.wait(
                {mining, stopping}, timeout=_LINE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            last = engine.statistics()
            if first is None and last.nonces:
                first = last
            show(_report(miner, engine, first or last, last))
            if first is not None and last.taken_at - first.taken_at >= seconds:
                break
    finally:
        stopping.cancel()
        miner.stop()
        await mining
    return _report(miner, engine, first or last, last)


def _report(
    miner: AnnouncementMiner,
    engine: AnnouncementEngine,
    first: EngineStatistics,
    last: EngineStatistics,
) -> DemoReport:
    """The speed is that from the first to the last snapshot; the counts are those of now."""
    speed = last.rates_since(first).hashes_per_second
    return DemoReport(engine.devices, miner.totals(), engine.statistics(), speed)


@asynccontextmanager
async def _running_pool(
    folder: Path, devices: tuple[str, ...], threads: int | None
) -> AsyncIterator[str]:
    """The master and the handler; gives the master's URL."""
    master_socket, handler_socket = _listening_socket(), _listening_socket()
    master_url, handler_url = _url(master_socket), _url(handler_socket)
    pool = StaticPool(
        made_up_chain("demo"), ann_target=ANN_TARGET, submit_ann_urls=[f"{handler_url}/submit"]
    )
    runner = web.AppRunner(pool.application())
    await runner.setup()
    try:
        await web.SockSite(runner, master_socket).start()
        settings = AnnHandlerSettings(
            pool=PoolSettings(
                master_url=master_url, root_workdir=folder, paymaker_http_password=""
            ),
            name="demo",
            public_url=handler_url,
            devices=devices[0],
            threads=threads or 0,
        )
        async with running_ann_handler(settings, listener=handler_socket):
            yield master_url
    finally:
        await runner.cleanup()


def _listening_socket() -> socket.socket:
    listening = socket.socket()
    listening.bind((_LOOPBACK, 0))
    return listening


def _url(listening: socket.socket) -> str:
    return f"http://{_LOOPBACK}:{listening.getsockname()[1]}"
