"""Files that charts are drawn into: what cannot be is refused before anything is measured."""

import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from packetcrypt.cli.chart_file import check_chart_file, save_chart
from packetcrypt.protocol.errors import ConfigError


@pytest.mark.parametrize("name", ["chart.png", "chart.svg", "chart.PDF"])
def test_files_that_can_be(tmp_path: Path, name: str) -> None:
    check_chart_file(tmp_path / name)
    save_chart(Figure(), tmp_path / name)

    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "remedy"), [("chart.jpeg", "ends in .png"), ("none/chart.png", "one that exists")]
)
def test_files_that_cannot_be_are_refused(tmp_path: Path, name: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        check_chart_file(tmp_path / name)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "chart.png").mkdir()

    with pytest.raises(ConfigError, match="choose another file"):
        save_chart(Figure(), tmp_path / "chart.png")


def test_without_matplotlib_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(ConfigError, match=r"pip install packetcrypt-engine\[plot\]"):
        check_chart_file(tmp_path / "chart.png")
