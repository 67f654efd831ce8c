"""docs/settings.md has every setting of every table, with its default, and no other."""

import re
import tomllib
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Final

import pytest

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings import AnnHandlerSettings, PoolSettings
from packetcrypt.handler.settings_document import TABLES
from packetcrypt.handler.settings_values import settings_of
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.paymaker_settings import PaymakerSettings

PAGE = (Path(__file__).parent.parent.parent / "docs" / "settings.md").read_text()
SETTINGS: Final[dict[str, type]] = {
    "Top level": PoolSettings,
    "[pktd]": PktdSettings,
    "[master]": MasterSettings,
    "[paymaker]": PaymakerSettings,
    "[ann_handler.NAME]": AnnHandlerSettings,
    "[block_handler.NAME]": BlockHandlerSettings,
    "[sprayer.NAME]": SprayerSettings,
    "[devchain]": DevchainSettings,
}
ALL = [
    pytest.param(section, setting, id=f"{section} {setting.name}")
    for section, table in SETTINGS.items()
    for setting in settings_of(table)
]


def _rows(section: str) -> dict[str, tuple[str, str]]:
    """Default and meaning of the settings in a section's table, by name."""
    _, *sections = PAGE.split("\n## ")
    (text,) = (text for text in sections if text.startswith(f"{section}\n"))
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    assert len({name for name, _, _ in rows}) == len(rows)
    return {name: (default, meaning) for name, default, meaning in rows}


def test_every_table_has_a_section() -> None:
    tables = {section.strip("[]").removesuffix(".NAME") for section in SETTINGS}
    assert tables == {*TABLES, "Top level"}


@pytest.mark.parametrize(("section", "setting"), ALL)
def test_every_setting_has_its_default(section: str, setting: Any) -> None:
    default, meaning = _rows(section)[setting.name]
    assert meaning.strip()
    if setting.default is MISSING:
        assert default == "required"
    elif setting.default is None:
        assert default == "none"
    else:
        given = tomllib.loads(f"value = {default.removeprefix('`').removesuffix('`')}")["value"]
        assert (tuple(given) if isinstance(given, list) else given) == setting.default


@pytest.mark.parametrize("section", SETTINGS)
def test_no_other_setting_is_there(section: str) -> None:
    assert set(_rows(section)) == {setting.name for setting in settings_of(SETTINGS[section])}
