"""`packetcrypt bench`: measure devices."""

import click

from packetcrypt.cli.bench_ann import ann
from packetcrypt.cli.bench_blk import blk
from packetcrypt.cli.bench_check import check


@click.group(name="bench")
def command() -> None:
    """Measure devices."""


command.add_command(ann)
command.add_command(blk)
command.add_command(check)
