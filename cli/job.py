"""`packetcrypt job`: mine exactly one job, offline."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from packetcrypt.cli.options import (
    U24,
    U32,
    F,
    device_option,
    hash_option,
    log_to_stderr,
    threads_option,
    work_bits_option,
)
from packetcrypt.cli.output_file import write_whole
from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.job_runner import checked_range, mine_job
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError


def _header_number(name: str) -> Callable[[F], F]:
    return click.option(
        name,
        metavar="N",
        type=U32,
        default=0,
        show_default=True,
        help="Goes into the header as it is.",
    )


@click.command(name="job")
@hash_option("--parent-hash", required=True, help="Parent block, internal byte order.")
@click.option(
    "--parent-height", metavar="N", type=U32, required=True, help="Height of the parent block."
)
@work_bits_option(required=True, help="Compact target, e.g. 2001ffff.")
@click.option("--hard-nonce", metavar="N", type=U32, required=True, help="Hard nonce of the job.")
@hash_option("--signing-key", default="00" * 32, help="Ed25519 public key. Default: none.")
@_header_number("--content-type")
@_header_number("--content-length")
@click.option(
    "--first", metavar="N", type=U24, default=0, show_default=True, help="First soft nonce."
)
@click.option(
    "--last",
    metavar="N",
    type=U24,
    help="Last soft nonce, included. Default: the highest that validators accept.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the announcements.",
)
@device_option
@threads_option
def command(
    parent_hash: bytes,
    parent_height: int,
    work_bits: int,
    hard_nonce: int,
    signing_key: bytes,
    content_type: int,
    content_length: int,
    first: int,
    last: int | None,
    output: Path,
    devices: tuple[str, ...],
    threads: int | None,
) -> None:
    """Mine one job and write its announcements: 1024 bytes each, soft nonces ascending.

    All hashes and keys are hexadecimal in internal byte order. One device does the job: the first
    one that --device selects. The output file appears when the job is complete.
    """
    job = AnnouncementJob(
        AnnouncementHeader(
            hard_nonce=hard_nonce,
            work_bits=work_bits,
            parent_height=parent_height,
            content_type=content_type,
            content_length=content_length,
            signing_key=signing_key,
        ),
        parent_hash,
    )
    checked_range(job, first, last)
    log_to_stderr()
    device = select_devices(devices)[0]
    try:
        with (
            write_whole(output) as file,
            ready_kernels(device, partial(open_kernels, device, threads)) as kernels,
            _ProgressLine() as progress,
        ):
            announcements = mine_job(kernels, job, first, last, progress.show)
            file.write(announcements.tobytes())
    except OSError as error:
        raise ConfigError(
            f"cannot write {output}: {error.strerror}; choose another file with -o"
        ) from error
    click.echo(f"{len(announcements)} announcements in {output}", err=True)


class _ProgressLine:
    """Shows how far the job is, on a terminal only, and leaves no trace."""

    def __init__(self) -> None:
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> "_ProgressLine":
        return self

    def show(self, done: int, total: int) -> None:
        if self._visible:
            percent = 100 * done // total
            click.echo(f"\r{percent:3d} % of {total} soft nonces", err=True, nl=False)

    def __exit__(self, *_: object) -> None:
        if self._visible:
            click.echo("\r\033[K", err=True, nl=False)
