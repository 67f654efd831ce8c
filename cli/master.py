"""`packetcrypt master`: run a pool's master."""

from pathlib import Path

import click

from packetcrypt.cli.options import log_to_stderr, settings_options
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.pool.master import running_master
from packetcrypt.pool.master_settings_file import load_master_settings


@click.command(name="master")
@settings_options
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(config: Path, overrides: tuple[Override, ...], verbose: bool) -> None:
    """Tell miners and handlers what is mined: work for each new block that pktd has.

    The table [master] of the settings file is about it; it lists the handlers of the same file, in
    their order. Ctrl-C stops it.
    """
    log_to_stderr(verbose)
    settings = load_master_settings(config, overrides)
    serve_until_signalled(running_master(settings))
