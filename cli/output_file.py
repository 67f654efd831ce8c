"""How an output file appears: whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its name when the block ends well, and vanishes if not.

    Something that is no regular file (/dev/stdout, a pipe) is written directly. Raises `OSError`.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as direct:
            yield direct
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # mkstemp makes private files; announcements are no secret
            os.fchmod(file.fileno(), 0o644)
            yield file
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
