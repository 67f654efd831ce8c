"""`packetcrypt bh`: run a block handler."""

from pathlib import Path

import click

from packetcrypt.cli.options import config_option, log_to_stderr
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.block_service import running_block_handler
from packetcrypt.handler.settings_file import load_block_handler_settings


@click.command(name="bh")
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.argument("name", required=False)
def command(config: Path, verbose: bool, name: str | None) -> None:
    """Take shares from block miners: have pktd check them, credit them, submit blocks.

    NAME chooses the table [block_handler.NAME] of the settings file; it may be left out if there is
    only one. Ctrl-C finishes the shares that were taken in and stops.
    """
    log_to_stderr(verbose)
    settings = load_block_handler_settings(config, name)
    serve_until_signalled(running_block_handler(settings))
