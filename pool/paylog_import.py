"""How the pay logs that the existing paymaker kept get into the ledger (docs/paylog-format.md).

Such a file is one upload, byte for byte, and its name has the digest that the upload was confirmed
with. So importing is what taking the upload would have been: nothing is counted twice, however
often a file is imported, or a handler told the same before or afterwards.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packetcrypt.client.paymaker import EVENT_ID_SIZE
from packetcrypt.handler.workdir import FolderInUse, LockedFolder
from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.ledger_writing import Upload
from packetcrypt.pool.paymaker_body import RefusedLine, read_pay_log
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.protocol.errors import ConfigError, DecodeError

_PATTERN: Final = "paylog_*.bin"
_NAME: Final = re.compile(r"paylog_[^_]+_([0-9a-f]{32})\.bin", re.ASCII)


@dataclass(frozen=True)
class KeptPayLog:
    """A pay log as the existing paymaker kept it; upload_id: 16 bytes of the hash of `content`."""

    upload_id: bytes
    content: bytes


@dataclass(frozen=True)
class ImportedPayLog:
    """What became of one file.

    new     : events that the ledger did not know
    known   : events that it knew
    refused : lines that are no events. They are in the ledger's table of refused lines, too
    damage  : why nothing of it was taken; "" if it was
    """

    path: Path
    new: int = 0
    known: int = 0
    refused: tuple[RefusedLine, ...] = ()
    damage: str = ""


@contextmanager
def opened_for_import(settings: PaymakerSettings) -> Iterator[Ledger]:
    """The paymaker's ledger, while no paymaker runs. ConfigError if one does, or it is unusable."""
    try:
        folder = LockedFolder(settings.workdir)
    except FolderInUse as error:
        raise ConfigError(
            f"{settings.workdir}: the paymaker runs, and would not see what is imported: stop it, "
            "import, and start it again"
        ) from error
    with folder, Ledger(settings.ledger) as ledger:
        yield ledger


def find_pay_logs(places: Sequence[Path]) -> list[Path]:
    """The files of these folders, and these files. ConfigError for a place that has none."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = sorted(place.glob(_PATTERN))
            if not inside:
                raise ConfigError(
                    f"{place}: no {_PATTERN} is there: give the folder of the existing paymaker, "
                    "paymaker_PORT in its rootWorkdir"
                )
            found += inside
        elif place.is_file():
            found.append(place)
        else:
            raise ConfigError(f"{place}: there is no such file or folder")
    return found


def read_kept_pay_log(path: Path) -> KeptPayLog:
    """The bytes of a file, if they are those that the existing paymaker wrote.

    DecodeError if they are not, or if its name cannot tell.
    """
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise DecodeError(
            f"{path}: its name is not paylog_TIME_DIGEST.bin, so that nobody can say whether it is "
            "whole: give it the name that the existing paymaker gave it"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DecodeError(f"{path}: it cannot be read ({error.strerror})") from error
    upload_id = hashlib.sha256(content).digest()[:EVENT_ID_SIZE]
    if upload_id.hex() != named[1]:
        is_torn = bool(content) and not content.endswith(b"\n")
        how = " (it ends within a line)" if is_torn else ""
        raise DecodeError(
            f"{path}: its {len(content)} bytes are not those that it was written with{how}: take "
            "it from a backup"
        )
    return KeptPayLog(upload_id, content)


def import_pay_logs(ledger: Ledger, files: Iterable[Path]) -> Iterator[ImportedPayLog]:
    """Records one file after another; each is on the disk when it is told of.

    Of a damaged one nothing is taken, and the others are. LedgerError: the ledger takes no more.
    """
    for path in files:
        try:
            kept = read_kept_pay_log(path)
        except DecodeError as error:
            yield ImportedPayLog(path, damage=str(error))
        else:
            yield _record(ledger, path, kept)


def _record(ledger: Ledger, path: Path, kept: KeptPayLog) -> ImportedPayLog:
    body = read_pay_log(kept.content)
    upload = Upload(kept.upload_id, milliseconds_now(), len(kept.content), body)
    recorded = ledger.record(upload)
    told = len(body.announcement_posts) + len(body.shares) + len(body.blocks)
    return ImportedPayLog(path, recorded.events, told - recorded.events, body.refused)
