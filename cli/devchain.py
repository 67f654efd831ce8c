"""`packetcrypt devchain`: run a development chain."""

from pathlib import Path

import click

from packetcrypt.cli.options import log_to_stderr, settings_options
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.pool.devchain import running_devchain
from packetcrypt.pool.devchain_settings_file import load_devchain_settings


@click.command(name="devchain")
@settings_options
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(config: Path, overrides: tuple[Override, ...], verbose: bool) -> None:
    """Answer a pool's calls like a pktd node, with a chain of its own: for development and tests.

    Nothing on this chain has any value. The table [devchain] of the settings file is about it, and
    user and password are those of [pktd]. Ctrl-C stops it.
    """
    log_to_stderr(verbose)
    settings = load_devchain_settings(config, overrides)
    serve_until_signalled(running_devchain(settings))
