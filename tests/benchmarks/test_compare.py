"""The comparison of two commands, with commands that print made-up figures."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "compare.py"


def python(code: str) -> str:
    """A command that runs some Python."""
    return f'{sys.executable} -c "{code}"'


OURS = python("print('starting'); print('{\\\"hashes_per_second\\\": 300, \\\"other\\\": 8}')")
THEIRS = python('print(\'{\\"hashes_per_second\\": 150, \\"other\\": 2}\')')


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "--rounds", "3", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def summary(*arguments: str) -> Any:
    ended = compare(*arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_medians_and_paired_ratio() -> None:
    result = summary("--ours", OURS, "--theirs", THEIRS)

    assert result["ours"] == {"median": 300, "lowest": 300, "highest": 300}
    assert result["theirs"]["median"] == 150
    assert result["paired_ratio"]["median"] == 2
    assert result["rounds"] == 3


def test_another_field() -> None:
    assert summary("--ours", OURS, "--theirs", THEIRS, "--field", "other")["paired_ratio"][
        "median"
    ] == pytest.approx(4)


def test_for_reading() -> None:
    ended = compare("--ours", OURS, "--theirs", THEIRS)

    assert ended.stdout.count("ours 300  theirs 150  ratio 2.000") == 3
    assert "ratio: median 2.000 (2.000 to 2.000) in 3 rounds" in ended.stdout


def test_log_lines_of_a_miner_that_does_not_end() -> None:
    """The first half of its lines is warming up; the last is in another unit."""
    miner = python(
        "import sys, time; "
        "[print(f'speed {s} Ke/s', file=sys.stderr, flush=True) for s in (1, 2, 0.1, 0.1)]; "
        "time.sleep(100)"
    )
    result = summary(
        *("--ours", OURS, "--theirs", miner, "--theirs-pattern", "speed ([0-9.]+) Ke/s"),
        *("--theirs-scale", "1000", "--theirs-seconds", "1.5", "--rounds", "1"),
    )

    assert result["theirs"]["median"] == pytest.approx(100)
    assert result["paired_ratio"]["median"] == pytest.approx(3)


def test_both_run_on_the_core() -> None:
    cores = python(
        "import os, json; "
        "print(json.dumps(dict(hashes_per_second=10 * len(os.sched_getaffinity(0)))))"
    )
    result = summary("--ours", cores, "--theirs", cores, "--core", "0")

    assert (result["ours"]["highest"], result["theirs"]["highest"]) == (10, 10)


@pytest.mark.parametrize(
    ("theirs", "options", "problem"),
    [
        (python("raise SystemExit(3)"), (), "status 3"),
        (python("print('fast')"), (), "no JSON object with a number 'hashes_per_second'"),
        (python("print('{}')"), (), "no JSON object"),
        (python("print('fast')"), ("--theirs-pattern", "([0-9]+)"), "nothing in its output"),
    ],
)
def test_a_command_without_a_figure_is_named(
    theirs: str, options: tuple[str, ...], problem: str
) -> None:
    ended = compare("--ours", OURS, "--theirs", theirs, *options)

    assert ended.returncode == 1
    assert problem in ended.stderr
    assert "error: theirs" in ended.stderr
    assert "Traceback" not in ended.stderr
