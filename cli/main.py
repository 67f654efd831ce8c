"""Where the `packetcrypt` command starts: its subcommands, and how errors leave the program."""

import importlib
import sys
from collections.abc import Sequence
from typing import Final

import click

from packetcrypt.protocol.errors import PacketCryptError

EXIT_INTERRUPTED: Final = 130

_COMMANDS: Final = {
    "ah": "packetcrypt.cli.ah",
    "ann": "packetcrypt.cli.ann",
    "bench": "packetcrypt.cli.bench",
    "check": "packetcrypt.cli.check",
    "demo": "packetcrypt.cli.demo",
    "devices": "packetcrypt.cli.devices",
    "job": "packetcrypt.cli.job",
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
def packetcrypt() -> None:
    """Mine PacketCrypt announcements on OpenCL devices, and take them from miners.

    Exit status: 0 success; 1 a check or a job failed; 2 unusable input or settings; 3 no usable
    device, or a device that computes wrongly; 4 a pool that cannot be used; 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns."""
    try:
        status = packetcrypt.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PacketCryptError as error:
        click.echo("error: " + str(error).replace("\n", "\n       "), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)
