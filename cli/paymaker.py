"""`packetcrypt paymaker`: run a pool's paymaker, copy its ledger, or import another's pay logs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from packetcrypt.cli.options import log_to_stderr, settings_options
from packetcrypt.cli.signals import serve_until_signalled
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.pool.ledger_sqlite import back_up
from packetcrypt.pool.paylog_import import find_pay_logs, import_pay_logs, opened_for_import
from packetcrypt.pool.paymaker import running_paymaker
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_settings_file import load_paymaker_settings

EXIT_NOT_ALL_IMPORTED: Final = 1


@click.command(name="paymaker")
@settings_options
@click.option(
    "--backup",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Copy the ledger to FILE, also while the paymaker runs, and end.",
)
@click.option(
    "--import",
    "imported",
    metavar="PATH",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Put the pay logs of the existing paymaker into the ledger, and end: a folder with its "
    "paylog_*.bin files, or one of them; may be given several times. The paymaker must not run.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    config: Path,
    overrides: tuple[Override, ...],
    backup: Path | None,
    imported: tuple[Path, ...],
    verbose: bool,
) -> int | None:
    """Keep the pool's books: who worked how much, and tell pktd whom the next blocks pay.

    Handlers upload their pay logs to it. The table [paymaker] of the settings file is about it.
    Ctrl-C stops it.
    """
    log_to_stderr(verbose)
    settings = load_paymaker_settings(config, overrides)
    if backup is not None:
        back_up(settings.ledger, backup)
        return None
    if imported:
        return _import(settings, find_pay_logs(imported), verbose)
    serve_until_signalled(running_paymaker(settings))
    return None


def _import(settings: PaymakerSettings, files: Sequence[Path], verbose: bool) -> int:
    new = known = refused = damaged = 0
    with opened_for_import(settings) as ledger:
        for log in import_pay_logs(ledger, files):
            new, known, refused = new + log.new, known + log.known, refused + len(log.refused)
            if log.damage:
                damaged += 1
                click.echo(f"not imported: {log.damage}", err=True)
            if log.refused:
                lines = f"{len(log.refused)} lines are no events"
                click.echo(f"{log.path}: {lines}, the first: {log.refused[0].reason}", err=True)
            if verbose:
                click.echo(f"{log.path}: {log.new} new, {log.known} known", err=True)
    click.echo(
        f"{len(files) - damaged} pay logs imported, {damaged} damaged: "
        f"{new} events new, {known} known, {refused} lines refused"
    )
    return EXIT_NOT_ALL_IMPORTED if damaged else 0
