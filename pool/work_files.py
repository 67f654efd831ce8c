"""Which work was published for a height: once out, it is never another one (spec 2 "Master").

    work_<h>.bin    what block miners mine
    bt_<h>.bin      what block handlers complete a block with; made from the same template

Miners cache work for ever, and shares are judged by it. So a restart publishes again what is here,
although the node would offer another template by then. Only a reorganisation replaces the work of a
height: it then follows another block, and what was mined for the old one is worthless anyway.

Blocking.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packetcrypt.handler.durable import replace_file
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.work_file import BlockWork

#: Heights kept: miners and handlers ask for the current one, and late ones for the one before.
KEPT_HEIGHTS: Final = 8

_NAME = re.compile(r"(?:work|bt)_([0-9]{1,10})\.bin", re.ASCII)


@dataclass(frozen=True)
class PublishedWork:
    """A height's work and template; `work_bytes` and `template_bytes` are the files."""

    work: BlockWork
    template: BlockTemplate

    @property
    def work_bytes(self) -> bytes:
        return self.work.encode()

    @property
    def template_bytes(self) -> bytes:
        return self.template.encode()


class WorkFiles:
    """The published work of a master, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(self, offered: PublishedWork) -> PublishedWork:
        """The work of the offered height: what is here already for the same parent, or this.

        Raises `OSError` if it cannot be stored; then it must not be shown to anybody.
        """
        height = offered.work.height
        known = self.load(height)
        previous_hash = offered.work.header.previous_hash
        if known is not None and known.work.header.previous_hash == previous_hash:
            return known
        self._work_path(height).unlink(missing_ok=True)
        # The template first: work without one would be of no use.
        replace_file(self._template_path(height), offered.template_bytes)
        replace_file(self._work_path(height), offered.work_bytes)
        self._drop_old(height)
        return offered

    def load(self, height: int) -> PublishedWork | None:
        """What is published for a height; None if nothing whole is here."""
        try:
            work = BlockWork.decode(self._work_path(height).read_bytes())
            template = BlockTemplate.decode(self._template_path(height).read_bytes())
        except (FileNotFoundError, DecodeError):
            return None
        return PublishedWork(work, template)

    def _drop_old(self, height: int) -> None:
        for path in self._folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is not None and int(match[1]) <= height - KEPT_HEIGHTS:
                path.unlink(missing_ok=True)

    def _work_path(self, height: int) -> Path:
        return self._folder / f"work_{height}.bin"

    def _template_path(self, height: int) -> Path:
        return self._folder / f"bt_{height}.bin"
