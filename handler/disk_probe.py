"""Whether a service can write to its disk now, which nobody knows who does not write."""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from packetcrypt.operations.health import Check, Grade

PROBE_SECONDS: Final = 10.0
"""from one look to the next; a look waits for the disk once, which takes milliseconds"""

LOW_BYTES: Final = 256 << 20
"""free room that should be seen to: half a minute of announcements at 9000 a second"""

_FILE: Final = "disk_probe"
_CONTENT: Final = bytes(4096)
_MISSED_LOOKS: Final = 3

Run = Callable[[Callable[[Path], int], Path], Awaitable[int]]
"""runs a blocking call elsewhere, e.g. `DiskThread.run`"""


class DiskProbe:
    """Writes a small file again and again, and removes it.

    folder     : of the service
    run        : where writing blocks nobody; best where the service itself writes, so that a disk
                 which does not come back is noticed
    free_bytes : room when it was last looked; None before, and while nothing can be written
    """

    def __init__(self, folder: Path, run: Run, clock: Callable[[], float] = time.monotonic) -> None:
        self.free_bytes: int | None = None
        self._folder = folder
        self._run = run
        self._clock = clock
        self._problem = ""
        self._looked_at = clock()

    async def look(self) -> None:
        """One look."""
        try:
            self.free_bytes = await self._run(_write, self._folder)
            self._problem = ""
        except OSError as error:
            self.free_bytes = None
            self._problem = error.strerror or type(error).__name__
        self._looked_at = self._clock()

    def check(self, without: Grade) -> Check:
        """What is to be said about the disk; `without` is how bad one is that takes nothing."""
        silence = self._clock() - self._looked_at
        if silence > _MISSED_LOOKS * PROBE_SECONDS:
            return Check(without, f"the disk has not come back for {silence:.0f} s")
        if self._problem:
            return Check(without, f"the disk takes nothing: {self._problem}")
        if self.free_bytes is None:
            return Check(Grade.NOT_YET if without is Grade.DOWN else without, "not looked at yet")
        free = f"{self.free_bytes >> 20} MiB are free"
        return Check.of(self.free_bytes >= LOW_BYTES, free)


def _write(folder: Path) -> int:
    """Bytes that are free; OSError if nothing can be written."""
    path = folder / _FILE
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        os.write(file, _CONTENT)
        os.fsync(file)
        room = os.fstatvfs(file)
    finally:
        os.close(file)
        os.unlink(path)
    return room.f_bavail * room.f_frsize
