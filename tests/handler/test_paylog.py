"""What the pay log files hold after runs, crashes and uploads."""

import json
from pathlib import Path

import pytest

from packetcrypt.handler.paylog import PayLog

LONG = 1 << 20


def _event(number: int) -> dict[str, int]:
    return {"number": number}


def _events(paths: list[Path]) -> list[list[int]]:
    return [[json.loads(line)["number"] for line in p.read_text().splitlines()] for p in paths]


def test_events_are_in_the_file_when_append_returns(tmp_path: Path) -> None:
    paylog = PayLog(tmp_path, LONG)

    paylog.append([_event(1), _event(2)])

    assert (tmp_path / "paylog_1.ndjson").read_bytes() == b'{"number":1}\n{"number":2}\n'


def test_the_growing_file_is_not_closed_yet(tmp_path: Path) -> None:
    paylog = PayLog(tmp_path, LONG)
    paylog.append([_event(1)])

    assert paylog.closed() == []


def test_files_are_numbered_and_closed_in_order(tmp_path: Path) -> None:
    paylog = PayLog(tmp_path, LONG)
    for number in range(12):
        paylog.append([_event(number)])
        paylog.close()

    assert _events(paylog.closed()) == [[number] for number in range(12)]


def test_closing_without_events_makes_no_file(tmp_path: Path) -> None:
    paylog = PayLog(tmp_path, LONG)
    paylog.append([])
    paylog.close()
    paylog.close()

    assert list(tmp_path.iterdir()) == []


def test_a_long_file_is_closed_before_its_time(tmp_path: Path) -> None:
    paylog = PayLog(tmp_path, max_bytes=20)
    for number in range(4):
        paylog.append([_event(number)])

    assert _events(paylog.closed()) == [[0, 1], [2, 3]]


def test_a_run_begins_a_new_file_and_leaves_the_old_ones(tmp_path: Path) -> None:
    PayLog(tmp_path, LONG).append([_event(1)])

    paylog = PayLog(tmp_path, LONG)
    paylog.append([_event(2)])

    assert _events(paylog.closed()) == [[1]]
    assert (tmp_path / "paylog_2.ndjson").exists()


@pytest.mark.parametrize("torn", [b'{"num', b"x", b"\xff\xfe"])
def test_half_a_line_is_dropped(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "paylog_5.ndjson").write_bytes(b'{"number":1}\n' + torn)

    paylog = PayLog(tmp_path, LONG)

    assert paylog.closed()[0].read_bytes() == b'{"number":1}\n'


@pytest.mark.parametrize("content", [b"", b'{"num'])
def test_a_file_without_a_whole_line_is_removed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "paylog_5.ndjson").write_bytes(content)

    assert PayLog(tmp_path, LONG).closed() == []
    assert list(tmp_path.iterdir()) == []


def test_removed_files_are_gone(tmp_path: Path) -> None:
    paylog = PayLog(tmp_path, LONG)
    paylog.append([_event(1)])
    paylog.close()
    paylog.remove(paylog.closed()[0])

    assert list(tmp_path.iterdir()) == []


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "paylog_x.ndjson").write_text("mine")
    (tmp_path / "paylog_1.ndjson.bak").write_text("mine")

    assert PayLog(tmp_path, LONG).closed() == []
    assert len(list(tmp_path.iterdir())) == 2
