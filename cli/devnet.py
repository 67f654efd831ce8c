"""`packetcrypt devnet`: a whole pool with a chain of its own, mining, on loopback."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Final

import click

from packetcrypt.cli.devnet_log import ServicesLog, log_to
from packetcrypt.cli.main import EXIT_INTERRUPTED
from packetcrypt.cli.signals import StopSignals, run_with_signals
from packetcrypt.pool.devnet import devnet_folder, run_devnet
from packetcrypt.pool.devnet_settings import MAX_HANDLERS, MIN_BLOCK_SECONDS, DevnetSettings
from packetcrypt.pool.devnet_summary import Summary

_PACKETCRYPT: Final = (sys.executable, "-m", "packetcrypt.cli")
"""The interpreter that runs this: a script beside it may be another installation's, or missing."""


@click.command(name="devnet")
@click.option(
    "--blocks",
    metavar="N",
    type=click.IntRange(1),
    help="End when N blocks have been mined. Default: run until Ctrl-C.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as one line of JSON, the last one."
)
@click.option(
    "--handlers",
    metavar="N",
    type=click.IntRange(1, MAX_HANDLERS),
    default=1,
    show_default=True,
    help="Announcement handlers; each takes its part of the announcements.",
)
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in DIR, and go on with what is there. Default: a temporary folder.",
)
@click.option(
    "--block-seconds",
    metavar="S",
    type=click.FloatRange(MIN_BLOCK_SECONDS),
    default=30.0,
    show_default=True,
    help="Time between two blocks that the chain's difficulty is adjusted to.",
)
@click.option(
    "--port",
    metavar="P",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Listen at P (the pool page) and the ports after it; 0: at free ones.",
)
@click.option(
    "--device",
    metavar="SEL",
    default="auto",
    show_default=True,
    help="Device of miners and handlers: auto (every GPU, else the best CPU runtime), cpu, gpu, "
    "numpy, an index P:D as `packetcrypt devices` prints it, or part of a name.",
)
@click.option(
    "-t",
    "--threads",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Cores that each miner and each handler uses on CPU devices.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    blocks: int | None,
    as_json: bool,
    handlers: int,
    folder: Path | None,
    block_seconds: float,
    port: int,
    device: str,
    threads: int,
    verbose: bool,
) -> int:
    """Run a whole pool with a chain of its own, and mine for it, on this machine alone.

    Starts a development chain, master, paymaker, announcement handlers, a block handler and both
    miners as processes of their own, on loopback, and shows what they say in one log on standard
    error. Ctrl-C stops all of them and sums up.

    \b
    packetcrypt devnet
    packetcrypt devnet --blocks 2 --json --handlers 2
    """
    log = ServicesLog()
    log_to(log, verbose)
    with devnet_folder(folder) as used:
        settings = DevnetSettings(
            folder=used,
            handlers=handlers,
            device=device,
            threads=threads,
            block_seconds=block_seconds,
            first_port=port,
            verbose=verbose,
        )
        summary = run_with_signals(partial(_run, settings, blocks, log))
    click.echo(json.dumps(summary.as_json()) if as_json else summary.text())
    return 0 if blocks is None or len(summary.blocks) >= blocks else EXIT_INTERRUPTED


async def _run(
    settings: DevnetSettings, blocks: int | None, log: ServicesLog, signals: StopSignals
) -> Summary:
    signals.started()  # from the first process on there is something to stop
    return await run_devnet(settings, blocks, signals.stop, _PACKETCRYPT, log.show)
