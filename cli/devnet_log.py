"""How the log lines of many services read as one log on standard error."""

import logging
import re
import sys
import time
from typing import Final

import click

_LINE: Final = re.compile(r"[0-9]+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)", re.DOTALL)
_NAME_WIDTH: Final = 9
_NAME_COLOURS: Final = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_magenta")
_LEVEL_COLOURS: Final = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_SUPERVISOR: Final = "devnet"


class ServicesLog(logging.Handler):
    """Writes lines with the time, who says it, and what, in colours on a terminal.

        09:41:07 ah0       took work of height 1000003
        09:41:07 master    WARNING the node does not answer

    As a logging handler it takes what this program says itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self._colours: dict[str, str] = {}

    def show(self, name: str, line: str) -> None:
        """A line of a service's log, as `log_to_stderr` writes them or whatever it says else."""
        match = _LINE.fullmatch(line)
        level, text = (match[1], match[2]) if match else ("INFO", line)
        self._write(name, level, text)

    def emit(self, record: logging.LogRecord) -> None:
        """A message of this program."""
        self._write(_SUPERVISOR, record.levelname, self.format(record))

    def _write(self, name: str, level: str, text: str) -> None:
        said = text if level == "INFO" else f"{level} {text}"
        if level in _LEVEL_COLOURS:
            said = click.style(said, fg=_LEVEL_COLOURS[level])
        elif name == _SUPERVISOR:
            said = click.style(said, bold=True)
        if name not in self._colours:
            self._colours[name] = _NAME_COLOURS[len(self._colours) % len(_NAME_COLOURS)]
        named = click.style(f"{name:{_NAME_WIDTH}}", fg=self._colours[name])
        # Without colours where it is no terminal: click takes them out.
        click.echo(f"{time.strftime('%H:%M:%S')} {named} {said}", file=sys.stderr)


def log_to(log: ServicesLog, verbose: bool) -> None:
    """What this program logs itself goes there, too."""
    logging.basicConfig(
        format="%(message)s", level=logging.DEBUG if verbose else logging.INFO, handlers=[log]
    )
    # This program's own looks at the services, one a second.
    logging.getLogger("asyncio").setLevel(logging.WARNING)
