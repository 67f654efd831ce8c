"""What is in a file after an append, a failed append, and a replacement."""

import os
import resource
from pathlib import Path

import pytest

from packetcrypt.handler.durable import DurableFile, replace_file, truncate_file


def test_pieces_are_appended(tmp_path: Path) -> None:
    with DurableFile(tmp_path / "file") as file:
        file.append(b"one")
        file.append(b"two")

        assert file.size == 6
    assert (tmp_path / "file").read_bytes() == b"onetwo"


def test_an_existing_file_grows_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one")

    with DurableFile(tmp_path / "file") as file:
        assert file.size == 3
        file.append(b"two")

    assert (tmp_path / "file").read_bytes() == b"onetwo"


def test_a_piece_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    # The file size limit makes write() stop in the middle, as a full disk does.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with DurableFile(tmp_path / "file") as file:
        file.append(b"one")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                file.append(bytes(2000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        file.append(b"two")

    assert (tmp_path / "file").read_bytes() == b"onetwo"


def test_what_is_cut_is_gone(tmp_path: Path) -> None:
    with DurableFile(tmp_path / "file") as file:
        file.append(b"onetwo")
        file.cut(3)
        file.append(b"three")

    assert (tmp_path / "file").read_bytes() == b"onethree"


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "file")
    file.close()
    file.close()


def test_a_replaced_file_has_the_new_content_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a long old content")
    (tmp_path / "file.new").write_bytes(b"left over from a crash")

    replace_file(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_truncation(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"onetwo")

    truncate_file(tmp_path / "file", 3)

    assert (tmp_path / "file").read_bytes() == b"one"
