"""`packetcrypt bench`: the forms that scripts depend on."""

import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ended

Cli = Callable[..., Ended]


def test_ann_json(cli: Cli) -> None:
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
    assert result["slices_lowest"] <= result["slices_median"] <= result["slices_highest"]
    assert result["slices_median"] == pytest.approx(statistics.median(result["slices"]))
    assert set(result["stages"]) == {"tables", "search", "finishing"}
    assert result["rechecked"] > 0


def test_ann_for_reading_and_as_a_chart(cli: Cli, tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"
    ended = cli("bench", "ann", "--seconds", "0.1", "--device", "cpu", "--plot", chart)
    assert ended.status == 0
    assert "announcements/s at work bits 2001ffff" in ended.out
    assert re.search(r"a job: tables .* ms, search .* ms, finishing .* ms", ended.out)
    assert "known answers reproduced" in ended.out
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_blk_json(cli: Cli) -> None:
    ended = cli("bench", "blk", "-m", "1", "--seconds", "0.2", "--device", "cpu", "--json")
    (line,) = ended.out.splitlines()
    result = json.loads(line)
    assert ended.status == 0
    assert result["known_answers"] is True
    assert result["announcements"] == 1024
    assert result["hashes_per_second"] > 0
    assert isinstance(result["device"], str)


def test_blk_for_reading(cli: Cli) -> None:
    ended = cli("bench", "blk", "-m", "1", "--seconds", "0.1", "--device", "cpu")
    assert ended.status == 0
    assert re.search(r"kH/s with 1024 announcements; known answers reproduced", ended.out)


def test_check_json(cli: Cli) -> None:
    ended = cli("bench", "check", "--seconds", "0.2", "--device", "cpu", "--json")
    (line,) = ended.out.splitlines()
    result = json.loads(line)
    assert ended.status == 0
    assert result["known_answers"] is True
    assert result["announcements_per_second"] > 0
    assert result["distinct_announcements_per_second"] > 0
    assert result["announcements"] > result["distinct_announcements"] >= 8


def test_check_for_reading(cli: Cli) -> None:
    ended = cli("bench", "check", "--seconds", "0.1", "--device", "cpu")
    assert ended.status == 0
    assert re.search(r"\d+ announcements/s of one job", ended.out)
    assert "known answers reproduced" in ended.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("ann", "--seconds", "0"),
        ("ann", "--seconds", "nan"),
        ("ann", "--seconds", "inf"),
        ("ann", "--work-bits", "hard"),
        ("ann", "--work-bits", "0", "--device", "cpu"),
        ("ann", "--device", "9:9"),
        ("ann", "--plot", "chart.doc"),
        ("blk", "-m", "0"),
        ("blk", "--seconds", "0"),
        ("blk", "--device", "9:9"),
        ("check", "--seconds", "0"),
        ("check", "--device", "9:9"),
    ],
)
def test_what_cannot_be_measured(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli("bench", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err
