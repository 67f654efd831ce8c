"""docs/exit-codes.md: every status that the programs can end with, and no other."""

import inspect
import re
from pathlib import Path

import pytest

from packetcrypt.cli import check, main
from packetcrypt.protocol import errors

DOCS = Path(__file__).parents[2] / "docs"
UNITS = Path(__file__).parents[2] / "packaging" / "systemd"


def _documented(page: Path) -> set[int]:
    """The statuses in a page's tables."""
    return {int(status) for status in re.findall(r"^\| ([0-9]+) \|", page.read_text(), re.M)}


def _raised() -> set[int]:
    """The statuses of all errors that we raise on purpose."""
    return {
        error.exit_code
        for _, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, errors.PacketCryptError)
    }


def test_the_page_has_exactly_the_statuses_of_the_code() -> None:
    ours = {0, check.EXIT_NOT_ALL_OK, main.EXIT_INTERRUPTED}

    assert _documented(DOCS / "exit-codes.md") == _raised() | ours


@pytest.mark.parametrize(
    "page", sorted(path.name for path in DOCS.glob("*.md") if _documented(path) & {130})
)
def test_no_page_has_another_status(page: str) -> None:
    text = (DOCS / page).read_text()
    section = text[text.lower().index("status") :]
    statuses = {int(number) for number in re.findall(r"^\| ([0-9]{1,3}) \|", section, re.M)}
    http = {number for number in statuses if 200 <= number < 600}

    assert statuses - http <= _documented(DOCS / "exit-codes.md")


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_units_know_the_statuses(unit: str) -> None:
    text = (UNITS / unit).read_text()

    assert f"SuccessExitStatus={main.EXIT_INTERRUPTED}\n" in text
    assert re.search(rf"^RestartPreventExitStatus={errors.ConfigError.exit_code}\b", text, re.M)
