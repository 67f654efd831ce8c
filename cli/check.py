"""`packetcrypt check`: validate announcements and blocks offline."""

import json
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from packetcrypt.cli.block_file import read_blocks
from packetcrypt.cli.options import device_option, hash_option, threads_option
from packetcrypt.engine import AnnouncementChecker
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.errors import ConfigError, DecodeError
from packetcrypt.protocol.validation import AnnouncementCheck

EXIT_NOT_ALL_OK = 1


@click.group(name="check")
def command() -> None:
    """Validate announcements or blocks that lie in files."""


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@hash_option("--parent-hash", required=True, help="Parent block, internal byte order.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@device_option
@threads_option
def ann(
    file: Path, parent_hash: bytes, as_json: bool, devices: tuple[str, ...], threads: int | None
) -> int:
    """Validate the announcements in FILE, 1024 bytes each, for one parent block.

    Exit status: 0 if all are OK, 1 if not, 2 if the input is unusable.
    """
    announcements = _read(file)
    with AnnouncementChecker(devices, threads) as checker:
        checked = checker.check(announcements, parent_hash)
    verdicts = [AnnouncementCheck(code) for code in checked.results.tolist()]
    for index, verdict in enumerate(verdicts):
        work_hash = checked.work_hashes[index].tobytes().hex()
        hash_or_none = work_hash if checked.work_hashes[index].any() else None
        if as_json:
            fields = {"index": index, "result": verdict.name, "work_hash": hash_or_none}
            click.echo(json.dumps(fields, separators=(",", ":")))
        else:
            click.echo(f"{index} {verdict.name} {hash_or_none or '-'}")
    good = verdicts.count(AnnouncementCheck.OK)
    if not as_json:
        click.echo(f"{good} of {len(verdicts)} announcements are OK", err=True)
    return 0 if good == len(verdicts) else EXIT_NOT_ALL_OK


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def block(file: Path, as_json: bool) -> int:
    """Validate the blocks or shares in FILE, one JSON object or a list of them.

    docs/commands.md has the fields. Announcements are checked one at a time in plain Python, which
    takes a fraction of a second a block.

    Exit status: 0 if all are OK or SHARE_OK, 1 if not, 2 if the input is unusable.
    """
    blocks = read_blocks(file)
    good = 0
    for index, claimed in enumerate(blocks):
        checked = claimed.check()
        good += checked.is_good
        work_hash = None if checked.work_hash is None else checked.work_hash.hex()
        if as_json:
            fields = {"index": index, "result": checked.name, "work_hash": work_hash}
            click.echo(json.dumps(fields, separators=(",", ":")))
        else:
            click.echo(f"{index} {checked.name} {work_hash or '-'}")
    if not as_json:
        click.echo(f"{good} of {len(blocks)} blocks are OK, as blocks or as shares", err=True)
    return 0 if good == len(blocks) else EXIT_NOT_ALL_OK


def _read(file: Path) -> npt.NDArray[np.uint8]:
    """The announcements of a file, (n, 1024) uint8."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}; give another file") from error
    if len(data) % ANNOUNCEMENT_SIZE:
        raise DecodeError(
            f"{file} has {len(data)} bytes, which is no multiple of {ANNOUNCEMENT_SIZE}: "
            f"announcements have {ANNOUNCEMENT_SIZE} bytes each and nothing between them"
        )
    return np.frombuffer(data, np.uint8).reshape(-1, ANNOUNCEMENT_SIZE)
