"""In which folders a devnet runs."""

from pathlib import Path

import pytest

from packetcrypt.pool.devnet import devnet_folder
from packetcrypt.protocol.errors import ConfigError


def test_a_temporary_one_is_removed() -> None:
    with devnet_folder(None) as folder:
        (folder / "pool.toml").touch()
    assert not folder.exists()


def test_a_given_one_is_made_and_kept(tmp_path: Path) -> None:
    with devnet_folder(tmp_path / "net") as folder:
        assert folder == tmp_path / "net"
    assert folder.is_dir()


def test_one_of_an_earlier_devnet_is_used_again(tmp_path: Path) -> None:
    (tmp_path / "pool.toml").touch()
    (tmp_path / "devnet.json").touch()
    with devnet_folder(tmp_path) as folder:
        assert folder == tmp_path


def test_another_pools_settings_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "pool.toml").touch()
    with pytest.raises(ConfigError, match="another pool's folder"), devnet_folder(tmp_path):
        pass


def test_two_do_not_run_in_one(tmp_path: Path) -> None:
    with (
        devnet_folder(tmp_path),
        pytest.raises(ConfigError, match="in use by another running"),
        devnet_folder(tmp_path),
    ):
        pass
