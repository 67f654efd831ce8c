"""`packetcrypt tune`: what it tries, keeps and drops."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ended

Cli = Callable[..., Ended]


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nobody's tuning is touched; compiled kernels stay where they are."""
    monkeypatch.setenv("POCL_CACHE_DIR", str(Path("~/.cache/pocl/kcache").expanduser()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_is_tried_is_shown_and_the_best_is_kept(cli: Cli, cache_folder: Path) -> None:
    ended = cli("tune", "--device", "cpu", "--seconds", "1")

    file = cache_folder / "packetcrypt" / "tuning.json"
    (entry,) = json.loads(file.read_text())
    assert ended.status == 0
    assert "launches in flight" in ended.err
    assert f"kept in {file}" in ended.out
    assert f"batch {entry['tuning']['batch']}," in ended.out


def test_json_and_forgetting(cli: Cli, cache_folder: Path) -> None:
    ended = cli("tune", "--device", "cpu", "--seconds", "1", "-t", "1", "--json")
    result = json.loads(ended.out)
    assert ended.status == 0
    assert result["cores"] == 1
    assert result["best"] in [result["default"], *(trial["tuning"] for trial in result["trials"])]

    assert "1 tuning dropped" in cli("tune", "--device", "cpu", "--forget").out

    assert json.loads((cache_folder / "packetcrypt" / "tuning.json").read_text()) == []


def test_nobody_tunes_in_vain(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    (cache_folder / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder / "file"))

    ended = cli("tune", "--device", "cpu", "--seconds", "1")

    assert (ended.status, ended.out) == (2, "")
    assert "XDG_CACHE_HOME" in ended.err
    assert "trying for" not in ended.err


@pytest.mark.parametrize("arguments", [("--seconds", "0"), ("--device", "9:9"), ("-t", "0")])
def test_refusals(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli("tune", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err
