"""`packetcrypt sprayer`: pass announcements on to block miners, by UDP."""

from pathlib import Path

import click

from packetcrypt.cli.options import config_option, log_to_stderr
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.sprayer_service import running_sprayer
from packetcrypt.handler.sprayer_settings_file import load_sprayer_settings
from packetcrypt.protocol.errors import ConfigError


@click.command(name="sprayer")
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log more, e.g. who subscribes.")
@click.argument("name", required=False)
def command(config: Path, verbose: bool, name: str | None) -> None:
    """Pass announcements of other sprayers on to block miners, by UDP.

    NAME chooses the table [sprayer.NAME] of the settings file; it may be left out if there is only
    one. Ctrl-C stops.
    """
    log_to_stderr(verbose)
    settings = load_sprayer_settings(config, name)
    if settings.subscription is None:
        raise ConfigError(
            f"{config}: the sprayer has nothing to pass on: say whose announcements, e.g. "
            'subscribe = ["ah0.pool.example:6666"]'
        )
    serve_until_signalled(running_sprayer(settings))
