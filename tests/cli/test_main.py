"""The command line as a whole: it is documented, and it is light until it has to compute."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from command_line import Ended, run_command

from packetcrypt.cli.main import packetcrypt

Cli = Callable[..., Ended]

ROOT = Path(__file__).parent.parent.parent
PAGES = {
    "ann": "mining.md",
    "ah": "handler.md",
    "blk": "block-mining.md",
    "bh": "block-handler.md",
    "devchain": "devchain.md",
    "devnet": "devnet.md",
    "master": "master.md",
    "paymaker": "paymaker.md",
    "pool check": "settings.md",
    "power": "power.md",
    "sprayer": "sprayer.md",
}
"""Pages about one command; the others have a section each of commands.md."""
WITHOUT_DEVICES = {"bh", "devchain", "master", "paymaker", "pool check", "power", "sprayer"}
"""Commands that compute on no device, so that none can fail them."""


def _commands(
    command: click.Command = packetcrypt, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """All commands that do something, by their full names."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _commands(inner, (*path, name))


COMMANDS = dict(_commands())
OPTIONS = sorted(
    (name, option)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter, click.Option)
    for option in parameter.opts
)


def _documentation(name: str) -> str:
    if name in PAGES:
        return (ROOT / "docs" / PAGES[name]).read_text()
    _, *sections = (ROOT / "docs" / "commands.md").read_text().split("\n## packetcrypt ")
    return next(section for section in sections if section.startswith(f"{name}\n"))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_readme_lists_every_command(name: str) -> None:
    assert f"| `packetcrypt {name}` |" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_is_documented(name: str, option: str) -> None:
    assert re.search(rf"`{option}[` ]", _documentation(name))


@pytest.mark.parametrize("name", PAGES)
def test_every_exit_status_of_the_services_is_documented(name: str) -> None:
    documented = re.findall(r"^\| ([0-9]+) \|", _documentation(name), re.MULTILINE)
    expected = {"0", "2", "130"} if name in WITHOUT_DEVICES else {"0", "2", "3", "130"}
    assert expected <= set(documented)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_a_help_text(cli: Cli, name: str) -> None:
    ended = cli(*name.split(), "--help")
    assert ended.status == 0
    assert f"{name} [OPTIONS]" in ended.out
    for parameter in COMMANDS[name].params:
        assert not isinstance(parameter, click.Option) or parameter.help


def test_help_names_every_command(cli: Cli) -> None:
    listed = re.findall(r"^  (\w+) ", cli("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert listed == sorted({name.split()[0] for name in COMMANDS})


def test_help_loads_no_opencl() -> None:
    program = (
        "import sys; from packetcrypt.cli.main import run; run(['--help']);"
        "sys.exit('pyopencl' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL).returncode == 0
    )


@pytest.mark.parametrize("arguments", [("mine",), ("ann", "--speed"), ("check", "blocks")])
def test_what_there_is_not(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "No such" in ended.err


def test_verbose_may_stand_before_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    monkeypatch.setattr("packetcrypt.cli.blk.log_to_stderr", told.append)
    for arguments in (("-v", "blk"), ("blk", "-v"), ("blk",)):
        assert cli(*arguments, "-p", "nobody", "http://pool.example").status == 2
    assert told == [True, True, False]


def test_the_installed_command() -> None:
    ended = run_command("--help")
    assert ended.status == 0
    assert ended.out.startswith("Usage: packetcrypt [OPTIONS] COMMAND [ARGS]...")
