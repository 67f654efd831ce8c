"""What of the ledger is special to SQLite: how it is opened, and copied while it is in use."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event

from packetcrypt.handler.durable import sync_directory
from packetcrypt.protocol.errors import ConfigError

_CACHE_KIB: Final = 64 * 1024
"""Event ids are random, so that looking them up touches pages all over their index."""


def open_engine(path: Path) -> Engine:
    """A ledger file that is written by one process; a committed transaction is on the disk."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Transactions begin where SQLAlchemy says so: Python's driver would begin them later, and
        # leave changes of tables out.
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            # With the write-ahead log readers, and a backup, do not hold the writer up.
            cursor.execute("PRAGMA journal_mode = WAL")
            # FULL waits for the disk at every commit, which WAL's usual NORMAL does not.
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA busy_timeout = 10000")
            cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def back_up(ledger: Path, target: Path) -> None:
    """Writes a copy of the ledger as it is at this moment, also while a paymaker writes to it.

    The copy takes its name when it is whole and on the disk; a file of that name is replaced.
    ConfigError if there is no ledger, or no place for the copy.
    """
    if not ledger.is_file():
        raise ConfigError(f"{ledger}: there is no ledger: is root_workdir that of the paymaker?")
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(draft)) as copy,
        ):
            source.backup(copy)
            # A single file, without a log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(target)
        sync_directory(target.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise ConfigError(
            f"{target}: the backup cannot be written ({error}): give a file in a folder that has "
            "room and that you may write to"
        ) from error
