"""How the parts of a pool's master are put together, started and stopped."""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from packetcrypt.client.daemon_thread import run_in_daemon_thread
from packetcrypt.client.pktd import pktd_client
from packetcrypt.handler.disk_probe import PROBE_SECONDS, DiskProbe
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.workdir import LockedFolder
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import VERSION, Health
from packetcrypt.pool.master_operations import METRICS, SERVICE, MasterOperations
from packetcrypt.pool.master_server import MasterServer
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.node_follower import NodeFollower
from packetcrypt.pool.page_server import PoolPages
from packetcrypt.pool.share_work import SigningKeys, WorkMaker
from packetcrypt.pool.work_files import WorkFiles

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Master:
    """A running master; `port` is the one it listens at, `private_port` has /metrics."""

    settings: MasterSettings
    port: int
    private_port: int


@asynccontextmanager
async def running_master(
    settings: MasterSettings, *, listener: socket.socket | None = None
) -> AsyncIterator[Master]:
    """A master that runs until the context is left.

    listener : a bound socket to listen at instead of `settings.bind`

    It starts without its node, too, and says "not ready" until that answers. Raises `ConfigError`
    if the folder or the address cannot be used.
    """
    keys = SigningKeys(settings.pool.private_seed)
    maker = WorkMaker(settings.ann_target, settings.share_work_divisor, keys)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(LockedFolder(settings.pool.root_workdir / "master"))
        node = await stack.enter_async_context(pktd_client(settings.pktd))
        files = WorkFiles(folder.path)
        follower = NodeFollower(node, maker, files)
        await follower.poll()
        following = RegularTask(settings.poll_interval, follower.poll)
        stack.push_async_callback(following.finish, 0.0)
        disk = DiskProbe(folder.path, run_in_daemon_thread)
        await disk.look()
        looking = RegularTask(PROBE_SECONDS, disk.look)
        stack.push_async_callback(looking.finish, 0.0)
        reading = MasterOperations(settings, follower, disk)
        operations = Operations(
            Health(SERVICE, "", reading.checks),
            METRICS,
            lambda: reading.readings(server, http),
            settings.public_path,
        )
        pages = PoolPages(settings, follower, VERSION) if settings.page else None
        if pages is not None:
            stack.push_async_callback(pages.close)
        server = MasterServer(settings, follower, files, node, keys, operations, pages)
        http = HttpListeners(server.application, settings, listener)
        stack.push_async_callback(http.close)
        if pages is not None:
            stack.callback(pages.end_streams)
        await http.open()
        _log.info("master answers at %s (port %d)", settings.pool.master_url, http.port)
        yield Master(settings, http.port, http.private_port)
        _log.info("master stops")
