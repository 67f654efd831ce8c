"""How bytes get onto the disk so that they are still there after a power failure.

Blocking functions: the handler calls them in its disk thread.
"""

import os
from pathlib import Path
from typing import Self


class DurableFile:
    """A file that grows by whole pieces: each is on the disk after `append`, or none of it is."""

    def __init__(self, path: Path) -> None:
        """Opens the file at its end; creates it, durably, if it is not there."""
        self.path = path
        is_new = not path.exists()
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640
        )
        self.size = os.fstat(self._descriptor).st_size
        if is_new:
            sync_directory(path.parent)

    def append(self, piece: bytes) -> None:
        """Writes a piece and waits for the disk. OSError: the file is as it was before."""
        try:
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fdatasync(self._descriptor)
        except OSError:
            # Half a piece must not stay in front of the next one.
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(piece)

    def cut(self, size: int) -> None:
        """Takes back what was appended after the file had `size` bytes."""
        os.ftruncate(self._descriptor, size)
        os.fdatasync(self._descriptor)
        self.size = size

    def close(self) -> None:
        """Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def replace_file(path: Path, content: bytes) -> None:
    """Gives a file new content at once: after a crash it has the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with DurableFile(draft) as file:
        file.append(content)
    draft.replace(path)
    sync_directory(path.parent)


def truncate_file(path: Path, size: int) -> None:
    """Cuts a file to `size` bytes, durably."""
    with path.open("r+b") as file:
        file.truncate(size)
        os.fdatasync(file.fileno())


def sync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
