"""Where credited announcements lie, for block miners and for recognising duplicates.

    anns_<parent height>_<handler>_<n>.bin    published: immutable; n counts up and never repeats
    open_<parent height>_<handler>.part       still growing; published when full or old
    record.json                               which block each height is of, and the next n

An announcement is on the disk *before* its post is in the pay log and before the miner has its
reply. So whatever moment a crash comes at, everything that will be paid is found here, and none is
paid twice. (The price: what was in flight at the crash may be here and not in the pay log. Its
miner had no reply.)

Blocking; all but `listing` and `served` belong to the handler's disk thread.
"""

import json
import logging
import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import NamedTuple

from packetcrypt.handler.dedup import Keys, KeyTable, dedup_keys
from packetcrypt.handler.durable import DurableFile, replace_file, sync_directory, truncate_file
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields

_log = logging.getLogger(__name__)

_PUBLISHED = re.compile(r"anns_([0-9]+)_([0-9]+)_([0-9]+)\.bin", re.ASCII)
_OPEN = re.compile(r"open_([0-9]+)_([0-9]+)\.part", re.ASCII)
_RECORD = "record.json"
_MAX_NUMBER = 2**53 - 1


class _Published(NamedTuple):
    number: int
    height: int
    name: str


class FileListing(NamedTuple):
    """What block miners are offered: file names, oldest first, and the highest n ever published."""

    highest: int
    names: tuple[str, ...]


class AnnouncementFiles:
    """The announcement files of one handler.

    listing : replaced as a whole with every change, so that other threads may read it
    """

    def __init__(self, folder: Path, settings: AnnHandlerSettings) -> None:
        self.listing = FileListing(0, ())
        self._folder = folder
        self._files_to_keep = settings.files_to_keep
        self._full_size = settings.file_announcements * ANNOUNCEMENT_SIZE
        self._open: dict[tuple[int, int], DurableFile] = {}
        self._published: list[_Published] = []
        self._next_number = 1
        self._kept_from = 0
        self._block_hashes: dict[int, bytes] = {}

    def recover(self) -> tuple[dict[int, KeyTable], dict[int, bytes]]:
        """Takes up the files of the last run: credited keys and block hashes, both by height."""
        self._read_record()
        tables: dict[int, KeyTable] = {}
        for path in sorted(self._folder.iterdir()):
            if published := _PUBLISHED.fullmatch(path.name):
                height, _, number = map(int, published.groups())
                self._published.append(_Published(number, height, path.name))
                self._next_number = max(self._next_number, number + 1)
            elif still_open := _OPEN.fullmatch(path.name):
                height, handler_number = map(int, still_open.groups())
                # The last announcement may be torn; then its post was never credited.
                size = path.stat().st_size
                truncate_file(path, size - size % ANNOUNCEMENT_SIZE)
                self._open[height, handler_number] = DurableFile(path)
            else:
                continue
            tables.setdefault(height, KeyTable()).add(_read_keys(path))
        self._published.sort()
        self._update_listing()
        return tables, self._block_hashes

    def append(self, height: int, handler_number: int, announcements: bytes) -> None:
        """Puts credited announcements of one parent height on the disk. OSError: none is there."""
        key = (height, handler_number)
        if key not in self._open:
            name = f"open_{height}_{handler_number}.part"
            self._open[key] = DurableFile(self._folder / name)
        self._open[key].append(announcements)

    def take_back(self, height: int, handler_number: int, size: int) -> None:
        """Undoes the last `append` of so many bytes: they could not be credited after all."""
        file = self._open[height, handler_number]
        file.cut(file.size - size)

    def publish_full(self) -> None:
        """Publishes what is open and has reached its size."""
        for key, file in list(self._open.items()):
            if file.size >= self._full_size:
                self._publish(*key)

    def publish(self) -> None:
        """Publishes all that is still open."""
        for height, handler_number in list(self._open):
            self._publish(height, handler_number)

    def follow(self, block_hashes: Mapping[int, bytes], kept_from: int) -> None:
        """Withdraws the files of replaced blocks, drops those of heights long past.

        block_hashes : by height, internal byte order
        kept_from    : lowest height whose files are needed to recognise duplicates
        """
        replaced = {
            height
            for height, block_hash in block_hashes.items()
            if self._block_hashes.get(height, block_hash) != block_hash
        }
        if replaced:
            # The next n first: the files that tell the highest may be the ones that go.
            self._write_record()
            self._withdraw(replaced)
        self._block_hashes = dict(block_hashes)
        self._write_record()
        self._kept_from = kept_from
        self._drop_old()

    def served(self, name: str) -> Path | None:
        """The file of this name, if it is offered."""
        return self._folder / name if name in self.listing.names else None

    def close(self) -> None:
        """Closes the open files; they are taken up again at the next start. Idempotent."""
        for file in self._open.values():
            file.close()

    def _publish(self, height: int, handler_number: int) -> None:
        file = self._open[height, handler_number]
        if file.size:
            name = f"anns_{height}_{handler_number}_{self._next_number}.bin"
            file.path.rename(self._folder / name)
            self._published.append(_Published(self._next_number, height, name))
            self._next_number += 1
        else:
            file.path.unlink()
        file.close()
        del self._open[height, handler_number]
        sync_directory(self._folder)
        self._drop_old()

    def _withdraw(self, heights: Set[int]) -> None:
        for key in [key for key in self._open if key[0] in heights]:
            file = self._open.pop(key)
            file.close()
            file.path.unlink()
        withdrawn = [file for file in self._published if file.height in heights]
        self._published = [file for file in self._published if file.height not in heights]
        self._update_listing()
        for file_name in withdrawn:
            (self._folder / file_name.name).unlink(missing_ok=True)

    def _drop_old(self) -> None:
        """Removes files that are neither offered nor needed to recognise duplicates."""
        beyond = self._published[: -self._files_to_keep]
        needed = [file for file in beyond if file.height >= self._kept_from]
        dropped = [file for file in beyond if file.height < self._kept_from]
        self._published = needed + self._published[-self._files_to_keep :]
        self._update_listing()
        for file in dropped:
            (self._folder / file.name).unlink(missing_ok=True)

    def _update_listing(self) -> None:
        names = tuple(file.name for file in self._published[-self._files_to_keep :])
        self.listing = FileListing(self._next_number - 1, names)

    def _read_record(self) -> None:
        path = self._folder / _RECORD
        if not path.exists():
            return
        try:
            fields = JsonFields.parse(path.read_bytes(), _RECORD)
            self._next_number = fields.integer("nextFile", 1, _MAX_NUMBER)
            heights = fields.integers("heights", 0, I32_MAX)
            hashes = [bytes.fromhex(text)[::-1] for text in fields.texts("hashes")]
        except ValueError as error:
            # It is replaced as a whole, so somebody edited it. It is missed only if a block was
            # replaced while the handler was down, or withdrawn files had the highest numbers.
            _log.warning("%s is ignored: %s", path, error)
            return
        self._block_hashes = dict(zip(heights, hashes, strict=False))

    def _write_record(self) -> None:
        record = {
            "nextFile": self._next_number,
            "heights": list(self._block_hashes),
            "hashes": [block_hash[::-1].hex() for block_hash in self._block_hashes.values()],
        }
        replace_file(self._folder / _RECORD, json.dumps(record).encode())


def _read_keys(path: Path) -> Keys:
    content = path.read_bytes()
    return dedup_keys(content[: len(content) - len(content) % ANNOUNCEMENT_SIZE])
