"""The command line in this process, which spares a process for every refusal."""

from collections.abc import Callable

import pytest
from command_line import Ended

from packetcrypt.cli.main import run

Cli = Callable[..., Ended]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command line as `main` does, short of ending the process."""

    def call(*arguments: object) -> Ended:
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        return Ended(status, captured.out, captured.err)

    return call
