"""`packetcrypt bench ann`: the form that scripts depend on."""

import json
from collections.abc import Callable

import pytest
from command_line import Ended

Cli = Callable[..., Ended]


def test_json(cli: Cli) -> None:
    ended = cli(
        *("bench", "ann", "--seconds", "0.3", "--work-bits", "207fffff"),
        *("--device", "cpu", "--json"),
    )
    (line,) = ended.out.splitlines()
    result = json.loads(line)
    assert ended.status == 0
    assert result["known_answers"] is True
    assert result["work_bits"] == 0x207FFFFF
    assert isinstance(result["device"], str)
    assert result["hashes_per_second"] > result["announcements_per_second"] > 0


def test_for_reading(cli: Cli) -> None:
    ended = cli("bench", "ann", "--seconds", "0.1", "--device", "cpu")
    assert ended.status == 0
    assert "announcements/s at work bits 2001ffff" in ended.out
    assert "known answers reproduced" in ended.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "0"),
        ("--seconds", "nan"),
        ("--seconds", "inf"),
        ("--work-bits", "hard"),
        ("--work-bits", "0", "--device", "cpu"),
        ("--device", "9:9"),
    ],
)
def test_what_cannot_be_measured(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli("bench", "ann", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err
