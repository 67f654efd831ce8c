"""How an upload becomes part of the ledger and of the memory, in this order."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from packetcrypt.client.paymaker import EVENT_ID_SIZE
from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.handler.http_answers import Overloaded
from packetcrypt.pool.ledger import Ledger, LedgerError
from packetcrypt.pool.ledger_rows import Recorded
from packetcrypt.pool.ledger_writing import Upload
from packetcrypt.pool.paymaker_body import RefusedLine, read_pay_log
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_history import History
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics

WAITING_MAX: Final = 8
"""uploads in memory, each of `max_body` at most; a handler that is turned away comes again"""


@dataclass(frozen=True)
class TakenUpload:
    """An upload that is on the disk: what it must be confirmed with, and what was wrong with it."""

    event_id: str
    recorded: Recorded
    refused: tuple[RefusedLine, ...]


class PaymakerIntake:
    """Takes uploads on one event loop; they are written one after another in the disk thread.

    waiting : uploads that are being read, or wait for the disk
    """

    def __init__(
        self, ledger: Ledger, history: History, disk: DiskThread, statistics: PaymakerStatistics
    ) -> None:
        self._ledger = ledger
        self._history = history
        self._disk = disk
        self._statistics = statistics
        self.waiting = 0
        self._failed_at: float | None = None

    @property
    def seconds_since_failure(self) -> float | None:
        """Since an upload could not be written; None if the last one was."""
        return None if self._failed_at is None else time.monotonic() - self._failed_at

    @contextmanager
    def room(self) -> Iterator[None]:
        """Room for one upload while it is read and recorded; `Overloaded` if there is none."""
        if self.waiting >= WAITING_MAX:
            self._statistics.overloaded += 1
            raise Overloaded
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    async def take(self, body: bytes) -> TakenUpload:
        """Records an upload. LedgerError: it is not recorded, and must come again."""
        try:
            taken = await self._disk.run(self._record, body)
        except LedgerError:
            self._statistics.failed += 1
            self._failed_at = time.monotonic()
            raise
        self._failed_at = None
        self._statistics.count(taken.recorded, len(taken.refused))
        return taken

    def _record(self, body: bytes) -> TakenUpload:
        """In the disk thread, whole: nobody who stops waiting can part memory from ledger."""
        upload_id = hashlib.sha256(body).digest()[:EVENT_ID_SIZE]
        told = read_pay_log(body)
        upload = Upload(upload_id, milliseconds_now(), len(body), told)
        recorded = self._ledger.record(upload)
        self._history.add(recorded.rows)
        return TakenUpload(upload_id.hex(), recorded, told.refused)
