"""What a handler keeps of its work, in memory and on the disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from packetcrypt.handler.announcement_files import AnnouncementFiles
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.parent_tables import KEPT_HEIGHTS, ParentTables
from packetcrypt.handler.paylog import PayLog
from packetcrypt.handler.pool_state import PoolState
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.workdir import WorkDir


@dataclass(frozen=True)
class Storage:
    """Tables of credited keys (event loop only), files and pay log (disk thread only)."""

    disk: DiskThread
    tables: ParentTables
    files: AnnouncementFiles
    paylog: PayLog

    async def follow(self, state: PoolState) -> None:
        """Makes room for new parent blocks, and drops what belongs to those that are gone.

        Must be awaited before posts are taken for the new blocks.
        """
        kept_from = state.tip.height - KEPT_HEIGHTS + 1
        self.tables.follow(state.parents)
        self.tables.forget_below(kept_from)
        await self.disk.run(self.files.follow, self.tables.block_hashes(), kept_from)

    async def publish(self) -> None:
        """Offers all announcements to block miners that are not offered yet."""
        await self.disk.run(self.files.publish)


@asynccontextmanager
async def open_storage(settings: AnnHandlerSettings) -> AsyncIterator[Storage]:
    """The handler's folder, locked, with everything that the last run left in it taken up.

    Leaving publishes and closes all files. Raises `ConfigError` if the folder cannot be used.
    """
    disk = DiskThread()
    try:
        with WorkDir(settings.workdir) as workdir:
            storage = await disk.run(_recover, settings, workdir, disk)
            try:
                yield storage
            finally:
                await disk.run(_close, storage)
    finally:
        disk.close()


def _recover(settings: AnnHandlerSettings, workdir: WorkDir, disk: DiskThread) -> Storage:
    files = AnnouncementFiles(workdir.announcements, settings)
    recovered, block_hashes = files.recover()
    tables = ParentTables()
    for height, table in recovered.items():
        tables.restore(height, block_hashes.get(height), table)
    return Storage(disk, tables, files, PayLog(workdir.paylogs, settings.paylog_bytes))


def _close(storage: Storage) -> None:
    storage.paylog.close()
    try:
        storage.files.publish()
    finally:
        storage.files.close()
