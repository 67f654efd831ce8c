"""Which events were told, each once and for ever (spec 2 "Paymaker").

Blocking, and for one thread at a time. One process writes a ledger: the paymaker locks its folder.
What a method has written is on the disk when it returns; when it raises, nothing of it is there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from packetcrypt.pool import ledger_schema as schema
from packetcrypt.pool.ledger_blocks import LedgerBlock, read_blocks
from packetcrypt.pool.ledger_reading import read_history
from packetcrypt.pool.ledger_rows import LedgerRows, Recorded
from packetcrypt.pool.ledger_sqlite import open_engine
from packetcrypt.pool.ledger_writing import Upload, write_upload
from packetcrypt.protocol.errors import ConfigError, PacketCryptError


class LedgerError(PacketCryptError):
    """The ledger could not be read or written."""


@dataclass(frozen=True)
class LedgerCounts:
    """How much is in the ledger, since its beginning.

    repeated : events that came again
    refused  : lines that were no events
    """

    uploads: int
    announcement_posts: int
    shares: int
    blocks: int
    repeated: int
    refused: int

    @property
    def events(self) -> int:
        """Of all types."""
        return self.announcement_posts + self.shares + self.blocks


class Ledger:
    """The ledger in one file."""

    def __init__(self, path: Path) -> None:
        """Opens it, or makes a new one. ConfigError if it cannot be used."""
        self._engine = open_engine(path)
        try:
            with self._engine.begin() as connection:
                schema.bring_up_to_date(connection)
                found = connection.execute(select(schema.addresses))
                self._addresses: dict[str, int] = {row.address: row.number for row in found}
        except ConfigError as error:
            self.close()
            raise ConfigError(f"{path}: {error}") from error
        except SQLAlchemyError as error:
            self.close()
            raise ConfigError(
                f"{path}: the ledger cannot be opened ({_reason(error)}): give the paymaker a "
                "folder that it may write to, or put a backup in the place of the file"
            ) from error

    def record(self, upload: Upload) -> Recorded:
        """Writes what an upload tells for the first time. LedgerError: nothing was written."""
        ids = schema.uploads.c.upload_id
        with self._transaction() as connection:
            if connection.execute(select(ids).where(ids == upload.upload_id)).first() is not None:
                return Recorded(LedgerRows(), is_replay=True)
            recorded = write_upload(connection, upload, self._addresses)
        for address in recorded.rows.addresses:
            self._addresses[address] = len(self._addresses)
        return recorded

    def history(self, since: int) -> LedgerRows:
        """See `read_history`."""
        with self._transaction() as connection:
            return read_history(connection, since)

    def blocks(self) -> tuple[LedgerBlock, ...]:
        """See `read_blocks`."""
        with self._transaction() as connection:
            return read_blocks(connection)

    def counts(self) -> LedgerCounts:
        """From the uploads, of which there are few, so that it is quick."""
        columns = ("announcement_posts", "shares", "blocks", "repeated", "refused")
        sums = [func.coalesce(func.sum(schema.uploads.c[name]), 0) for name in columns]
        with self._transaction() as connection:
            return LedgerCounts(*connection.execute(select(func.count(), *sums)).one())

    def first_difficulty(self) -> float | None:
        """What `set_first_difficulty` was given; None: nothing yet."""
        with self._transaction() as connection:
            return connection.execute(select(schema.first_difficulty.c.difficulty)).scalar()

    def set_first_difficulty(self, difficulty: float, asked: int) -> None:
        """Keeps what counts for events before any block event, for ever. Call once.

        asked : milliseconds since 1970
        """
        row = insert(schema.first_difficulty).values(difficulty=difficulty, asked=asked)
        with self._transaction() as connection:
            connection.execute(row)

    def close(self) -> None:
        """Idempotent."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise LedgerError(
                f"the ledger cannot be used: {_reason(error)}. Make room on its disk, and see "
                "that no other program holds it."
            ) from error


def _reason(error: SQLAlchemyError) -> str:
    """What the database said, without the statement and its values."""
    return str(getattr(error, "orig", None) or type(error).__name__)
