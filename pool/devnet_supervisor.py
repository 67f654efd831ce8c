"""How the processes of a devnet run together: started in order, watched, stopped in reverse."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from packetcrypt.handler.durable import replace_file
from packetcrypt.pool.devnet_log_file import LogFile
from packetcrypt.pool.devnet_service import KeptService, Service

RECORD: Final = "devnet.json"
"""file in a devnet's folder that says what runs"""
LOGS: Final = "logs"
_LOOK_SECONDS: Final = 0.1
"""between two looks at what the services say"""

Stages = Sequence[Sequence[Service]]
Show = Callable[[str, str], None]
"""takes a service's name and a line of its log"""


class Supervisor:
    """Services by stages: each stage is started when the one before is ready."""

    def __init__(self, stages: Stages, folder: Path, show: Show, pool_page: str) -> None:
        self._folder = folder
        self._pool_page = pool_page
        self._process_ids: dict[str, int] = {}
        (folder / LOGS).mkdir(exist_ok=True)
        self._stages = [
            [
                KeptService(
                    service,
                    LogFile(folder / LOGS / f"{service.name}.log"),
                    partial(show, service.name),
                    partial(self._record, service.name),
                )
                for service in stage
            ]
            for stage in stages
        ]
        self._write_record()
        self._keeping: dict[KeptService, asyncio.Task[None]] = {}
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Starts all; returns when they are ready, which may take as long as compiling kernels."""
        for stage in self._stages:
            for kept in stage:
                task = asyncio.create_task(kept.keep(), name=f"keep {kept.service.name}")
                task.add_done_callback(self._ended)
                self._keeping[kept] = task
            for kept in stage:
                await kept.ready.wait()

    async def failure(self) -> None:
        """Waits until a service cannot be kept running, and raises its `ServiceFailed`."""
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Stops all, those first that were started last. Call once."""
        for stage in reversed(self._stages):
            for kept in stage:
                kept.stop()
            running = [self._keeping[kept] for kept in stage if kept in self._keeping]
            await asyncio.gather(*running, return_exceptions=True)
        for kept in self._all():
            kept.close()
        self._failure.cancel()

    async def show_logs(self) -> None:
        """Shows what the services say, until it is cancelled."""
        while True:
            for kept in self._all():
                kept.read_log()
            await asyncio.sleep(_LOOK_SECONDS)

    def _all(self) -> list[KeptService]:
        return [kept for stage in self._stages for kept in stage]

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)

    def _record(self, name: str, process_id: int) -> None:
        self._process_ids[name] = process_id
        self._write_record()

    def _write_record(self) -> None:
        services = {
            kept.service.name: {
                "pid": self._process_ids[kept.service.name],
                "command": list(kept.service.command),
                "url": kept.service.url,
            }
            for kept in self._all()
            if kept.service.name in self._process_ids
        }
        record = {"services": services, "pool_page": self._pool_page}
        replace_file(self._folder / RECORD, json.dumps(record, indent=2).encode() + b"\n")


@asynccontextmanager
async def supervising(
    stages: Stages, folder: Path, show: Show, pool_page: str
) -> AsyncIterator[Supervisor]:
    """A supervisor whose services have all ended when the context is left.

    folder    : gets a folder of logs and the file `RECORD`
    pool_page : URL for that file
    """
    supervisor = Supervisor(stages, folder, show, pool_page)
    showing = asyncio.create_task(supervisor.show_logs(), name="show logs")
    try:
        yield supervisor
    finally:
        await supervisor.stop()
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing
