"""Which folder belongs to a handler, and to no other process at the same time."""

import fcntl
import os
from pathlib import Path
from typing import Self

from packetcrypt.protocol.errors import ConfigError

_LOCK = "lock"


class WorkDir:
    """A handler's folder, locked while this object is open.

    Two processes on one folder would each credit the same announcement. The lock is the kernel's
    (flock), so that it ends with the process, however that ends.
    """

    def __init__(self, path: Path, *, has_announcements: bool = True) -> None:
        """Creates the folder if it is not there. ConfigError if it cannot be used or is in use."""
        self.path = path
        folders = [path, self.paylogs]
        if has_announcements:
            folders.append(self.announcements)
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise ConfigError(
                f"{error.filename or path}: the handler cannot keep its files there "
                f"({error.strerror}): give a root_workdir that it may write to"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise ConfigError(
                f"{path}: in use by another running handler of this name: stop it, or give this "
                "one another name"
            ) from error

    @property
    def announcements(self) -> Path:
        """Where announcement files are."""
        return self.path / "anns"

    @property
    def paylogs(self) -> Path:
        """Where pay logs are until they are uploaded."""
        return self.path / "paylogs"

    def close(self) -> None:
        """Gives the folder free. Call once."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
