"""`packetcrypt ah`: run an announcement handler."""

from pathlib import Path

import click

from packetcrypt.cli.options import log_to_stderr, settings_options
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.service import running_ann_handler
from packetcrypt.handler.settings_file import load_ann_handler_settings
from packetcrypt.handler.settings_overrides import Override


@click.command(name="ah")
@settings_options
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.argument("name", required=False)
def command(config: Path, overrides: tuple[Override, ...], verbose: bool, name: str | None) -> None:
    """Take announcements from miners: check, de-duplicate and credit them.

    NAME chooses the table [ann_handler.NAME] of the settings file; it may be left out if there is
    only one. Ctrl-C finishes the posts that were taken in and stops.
    """
    log_to_stderr(verbose)
    settings = load_ann_handler_settings(config, name, overrides)
    serve_until_signalled(running_ann_handler(settings))
