"""`packetcrypt paymaker`: run a pool's paymaker, or copy its ledger."""

from pathlib import Path

import click

from packetcrypt.cli.options import log_to_stderr, settings_options
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.pool.ledger_sqlite import back_up
from packetcrypt.pool.paymaker import running_paymaker
from packetcrypt.pool.paymaker_settings_file import load_paymaker_settings


@click.command(name="paymaker")
@settings_options
@click.option(
    "--backup",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Copy the ledger to FILE, also while the paymaker runs, and end.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    config: Path, overrides: tuple[Override, ...], backup: Path | None, verbose: bool
) -> None:
    """Keep the pool's books: who worked how much, and tell pktd whom the next blocks pay.

    Handlers upload their pay logs to it. The table [paymaker] of the settings file is about it.
    Ctrl-C stops it.
    """
    log_to_stderr(verbose)
    settings = load_paymaker_settings(config, overrides)
    if backup is not None:
        back_up(settings.ledger, backup)
        return
    serve_until_signalled(running_paymaker(settings))
