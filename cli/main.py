"""Where the `packetcrypt` command starts: its subcommands, and how errors leave the program."""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from packetcrypt.protocol.errors import PacketCryptError

EXIT_INTERRUPTED: Final = 130

_COMMANDS: Final = {
    "ah": "packetcrypt.cli.ah",
    "ann": "packetcrypt.cli.ann",
    "bench": "packetcrypt.cli.bench",
    "bh": "packetcrypt.cli.bh",
    "blk": "packetcrypt.cli.blk",
    "check": "packetcrypt.cli.check",
    "devchain": "packetcrypt.cli.devchain",
    "devices": "packetcrypt.cli.devices",
    "devnet": "packetcrypt.cli.devnet",
    "job": "packetcrypt.cli.job",
    "master": "packetcrypt.cli.master",
    "paymaker": "packetcrypt.cli.paymaker",
    "pool": "packetcrypt.cli.pool",
    "power": "packetcrypt.cli.power",
    "sprayer": "packetcrypt.cli.sprayer",
    "tune": "packetcrypt.cli.tune",
}


class LazyGroup(click.Group):
    """Imports a subcommand's module when it is asked for, so that `--help` does not load OpenCL."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="packetcrypt-engine", prog_name="packetcrypt")
@click.option("-v", "--verbose", is_flag=True, help="Log more; the same as behind the command.")
@click.pass_context
def packetcrypt(context: click.Context, verbose: bool) -> None:
    """Mine PacketCrypt announcements and blocks on OpenCL devices, and run a pool's services.

    Exit status: 0 success; 1 a check or a job failed; 2 unusable input or settings; 3 no usable
    device, or a device that computes wrongly; 4 a pool that cannot be used; 130 interrupted before
    there was a result.
    """
    if verbose:  # existing scripts write it before the command
        context.default_map = {name: {"verbose": True} for name in _COMMANDS}


def main() -> NoReturn:
    """Run the command line."""
    # A program that is asked to end cleans up like one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _leave(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit status, having said what is wrong if it is not 0."""
    try:
        status = packetcrypt.main(args=list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PacketCryptError as error:
        click.echo("error: " + str(error).replace("\n", "\n       "), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    return status if isinstance(status, int) else 0


def _leave(status: int) -> NoReturn:
    """Ends the process, at once if a thread is still busy in a driver.

    A compiling driver cannot be interrupted. The ordinary way out would destroy its objects under
    its hands, and PoCL's LLVM then aborts the process.
    """
    if any(thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
