"""The limit of open files: raised as far as it may be, respected where it may not."""

import resource
import subprocess
import sys

import pytest

from packetcrypt.handler.open_files import RESERVE

ASK = """
import logging, resource, sys
from packetcrypt.handler.open_files import room_for_connections
logging.basicConfig(format="%(message)s")
print(room_for_connections(int(sys.argv[1])), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def ask(wanted: int, soft: int, hard: int) -> tuple[list[int], str]:
    """The answer, the limits afterwards, and what was said, in a process with these limits."""
    ended = subprocess.run(
        [sys.executable, "-c", ASK, str(wanted)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [int(word) for word in ended.stdout.split()], ended.stderr


@pytest.mark.parametrize(
    ("wanted", "soft", "hard", "answer"),
    [
        pytest.param(300, 512, 1024, [300, 512, 1024], id="enough"),
        pytest.param(512, 512, 1024, [512, 512 + RESERVE, 1024], id="raised as far as needed"),
        pytest.param(1024 - RESERVE, 512, 1024, [1024 - RESERVE, 1024, 1024], id="just enough"),
    ],
)
def test_there_is_room(wanted: int, soft: int, hard: int, answer: list[int]) -> None:
    assert ask(wanted, soft, hard) == (answer, "")


def test_what_the_system_does_not_allow_is_not_taken_and_the_remedy_is_named() -> None:
    answer, said = ask(8192, 512, 1024)

    assert answer == [1024 - RESERVE, 1024, 1024]
    assert "max_connections = 8192, but this system allows 1024 open files" in said
    assert f"LimitNOFILE={8192 + RESERVE}" in said
