"""Who may use a handler's folder."""

from pathlib import Path

import pytest

from packetcrypt.handler.workdir import WorkDir
from packetcrypt.protocol.errors import ConfigError


def test_folders_are_made(tmp_path: Path) -> None:
    with WorkDir(tmp_path / "a" / "b") as workdir:
        assert workdir.announcements.is_dir()
        assert workdir.paylogs.is_dir()


def test_a_second_user_is_refused(tmp_path: Path) -> None:
    with WorkDir(tmp_path), pytest.raises(ConfigError, match="in use by another running service"):
        WorkDir(tmp_path)


def test_afterwards_it_is_free(tmp_path: Path) -> None:
    WorkDir(tmp_path).close()

    WorkDir(tmp_path).close()


def test_a_file_in_its_place_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="give a root_workdir"):
        WorkDir(tmp_path / "file" / "ah0")
