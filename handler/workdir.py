"""Which folder belongs to a service, and to no other process at the same time."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from packetcrypt.protocol.errors import ConfigError

_LOCK = "lock"
_PAYLOGS = "paylogs"
_ANNOUNCEMENTS = "anns"


class FolderInUse(ConfigError):
    """Another process has the folder."""


class LockedFolder:
    """A folder of one service, locked while this object is open.

    Two processes on one folder would each credit the same announcement. The lock is the kernel's
    (flock), so that it ends with the process, however that ends.
    """

    def __init__(self, path: Path, subfolders: Sequence[str] = ()) -> None:
        """Creates the folders if they are not there. ConfigError if unusable; `FolderInUse`."""
        self.path = path
        try:
            for folder in (path, *(path / name for name in subfolders)):
                folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise ConfigError(
                f"{error.filename or path}: the service cannot keep its files there "
                f"({error.strerror}): give a root_workdir that it may write to"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise FolderInUse(
                f"{path}: in use by another running service of this name: stop it, or give this "
                "one another name"
            ) from error

    def close(self) -> None:
        """Gives the folder free. Call once."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WorkDir(LockedFolder):
    """A handler's folder."""

    def __init__(self, path: Path, *, has_announcements: bool = True) -> None:
        """As `LockedFolder`; block handlers have no announcements."""
        super().__init__(path, (_PAYLOGS, _ANNOUNCEMENTS) if has_announcements else (_PAYLOGS,))

    @property
    def announcements(self) -> Path:
        """Where announcement files are."""
        return self.path / _ANNOUNCEMENTS

    @property
    def paylogs(self) -> Path:
        """Where pay logs are until they are uploaded."""
        return self.path / _PAYLOGS
