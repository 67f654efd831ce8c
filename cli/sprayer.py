"""`packetcrypt sprayer`: pass announcements on to block miners, by UDP."""

from pathlib import Path

import click

from packetcrypt.cli.options import log_to_stderr, settings_options
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.handler.sprayer_operations import running_sprayer_service
from packetcrypt.handler.sprayer_settings_file import load_sprayer_settings
from packetcrypt.protocol.errors import ConfigError


@click.command(name="sprayer")
@settings_options
@click.option("-v", "--verbose", is_flag=True, help="Log more, e.g. who subscribes.")
@click.argument("name", required=False)
def command(config: Path, overrides: tuple[Override, ...], verbose: bool, name: str | None) -> None:
    """Pass announcements of other sprayers on to block miners, by UDP.

    NAME chooses the table [sprayer.NAME] of the settings file; it may be left out if there is only
    one. Ctrl-C stops.
    """
    log_to_stderr(verbose)
    settings = load_sprayer_settings(config, name, overrides)
    if settings.subscription is None:
        raise ConfigError(
            f"{config}: the sprayer has nothing to pass on: say whose announcements, e.g. "
            'subscribe = ["ah0.pool.example:6666"]'
        )
    serve_until_signalled(running_sprayer_service(settings))
