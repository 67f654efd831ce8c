"""Which events the paymaker has yet to hear: pay log files on the disk (spec 2 "Paymaker").

paylog_<n>.ndjson, one JSON event a line. The newest grows; it is closed once a minute and then
never changes, because the paymaker knows a file by the hash of its bytes: a second upload of the
same bytes pays nothing.

Blocking; belongs to the handler's disk thread.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from packetcrypt.handler.durable import DurableFile, sync_directory, truncate_file
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields

_NAME = re.compile(r"paylog_([0-9]+)\.ndjson", re.ASCII)


class PayLog:
    """The pay log files of one handler.

    max_bytes : a file that is so long is closed before its minute is over
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Takes up the files of the last run; a line that a crash cut short is dropped."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._open: DurableFile | None = None
        for path in self.closed():
            _drop_partial_line(path)
        self._next_number = max(map(_number, self.closed()), default=0) + 1

    def append(self, events: Iterable[dict[str, Any]]) -> None:
        """Writes events and waits for the disk, once for all of them. OSError: none is there."""
        lines = b"".join(
            json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events
        )
        if not lines:
            return
        if self._open is None:
            self._open = DurableFile(self._folder / f"paylog_{self._next_number}.ndjson")
            self._next_number += 1
        self._open.append(lines)
        if self._open.size >= self._max_bytes:
            self.close()

    def recorded(self) -> Iterator[JsonFields]:
        """The events of all files that are not uploaded yet, oldest first.

        A line that is no JSON object is passed over: it is the paymaker's to complain about.
        """
        for path in self.closed():
            for line in path.read_bytes().splitlines():
                with suppress(DecodeError):
                    yield JsonFields.parse(line, path.name)

    def close(self) -> None:
        """Closes the newest file; the next event begins another. Idempotent."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def closed(self) -> list[Path]:
        """The files that will not change any more, oldest first."""
        paths = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
        growing = None if self._open is None else self._open.path
        return sorted((path for path in paths if path != growing), key=_number)

    def remove(self, path: Path) -> None:
        """Forgets a file that the paymaker has."""
        path.unlink()
        sync_directory(self._folder)


def _number(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def _drop_partial_line(path: Path) -> None:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole == 0:
        path.unlink()
    elif whole < len(content):
        truncate_file(path, whole)
