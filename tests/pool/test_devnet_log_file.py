"""What a service writes is read line by line while it writes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from packetcrypt.pool.devnet_log_file import LogFile


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    log = LogFile(tmp_path / "ah0.log")
    yield log
    log.close()


def test_lines_as_they_come(log: LogFile) -> None:
    assert log.new_lines() == []
    os.write(log.descriptor, b"one\ntwo\n")
    assert log.new_lines() == ["one", "two"]
    assert log.new_lines() == []


def test_a_line_is_waited_for(log: LogFile) -> None:
    os.write(log.descriptor, b"one\ntw")
    assert log.new_lines() == ["one"]
    os.write(log.descriptor, "ö\n".encode())
    assert log.new_lines() == ["twö"]


def test_a_line_longer_than_any_is_shown_in_pieces(log: LogFile) -> None:
    os.write(log.descriptor, b"x" * 300_000 + b"\nend\n")
    lines = log.new_lines()
    assert "".join(lines) == "x" * 300_000 + "end"
    assert all(len(line) <= 128 * 1024 for line in lines)
    assert lines[-1] == "end"


def test_bytes_that_are_no_text_do_no_harm(log: LogFile) -> None:
    os.write(log.descriptor, b"\xff\xfe\r\n")
    assert log.new_lines() == ["\ufffd\ufffd"]


def test_the_last_lines_are_remembered(log: LogFile) -> None:
    os.write(log.descriptor, b"".join(b"%d\n" % number for number in range(100)))
    log.new_lines()
    assert log.last_lines == tuple(str(number) for number in range(88, 100))


def test_only_its_owner_may_read_it(log: LogFile) -> None:
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_what_is_there_already_is_not_new(tmp_path: Path) -> None:
    path = tmp_path / "bh0.log"
    path.write_text("an earlier run\n")
    log = LogFile(path)
    os.write(log.descriptor, b"this run\n")
    assert log.new_lines() == ["this run"]
    log.close()
