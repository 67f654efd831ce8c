"""What a service wrote to its log file since the last look."""

import os
from collections import deque
from pathlib import Path
from typing import Final

_PIECE: Final = 64 * 1024
"""bytes read in one go, and the longest line that is waited for"""
_REMEMBERED: Final = 12
"""lines: a traceback's end, which says what happened"""


class LogFile:
    """A file that a process writes to and this program reads at the same time.

    Through a file, not a pipe: a service never waits for its reader, and what it said last is there
    however either of them ended.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file at its end; creates it if it is not there."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._offset = os.fstat(self._descriptor).st_size
        self._begun = b""
        self._last: deque[str] = deque(maxlen=_REMEMBERED)

    @property
    def descriptor(self) -> int:
        """For the process that writes: it appends."""
        return self._descriptor

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The newest of those that `new_lines` gave, oldest first."""
        return tuple(self._last)

    def new_lines(self) -> list[str]:
        """Lines that have come since the last call, without their ends."""
        lines: list[str] = []
        while piece := os.pread(self._descriptor, _PIECE, self._offset):
            self._offset += len(piece)
            *whole, self._begun = (self._begun + piece).split(b"\n")
            if len(self._begun) > _PIECE:
                whole, self._begun = [*whole, self._begun], b""
            lines += (line.decode(errors="replace").rstrip("\r") for line in whole)
        self._last.extend(lines)
        return lines

    def close(self) -> None:
        """Call once."""
        os.close(self._descriptor)
