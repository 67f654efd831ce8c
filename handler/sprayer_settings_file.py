"""What pool.toml says about a sprayer: a service of its own, or part of an announcement handler."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packetcrypt.handler.settings_document import SettingsDocument, open_settings
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.handler.settings_values import EXAMPLES
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.protocol.errors import ConfigError

SPRAYER_TABLE: Final = "sprayer"


def load_sprayer_settings(
    path: Path, name: str | None = None, overrides: Sequence[Override] = ()
) -> SprayerSettings:
    """The settings of the sprayer `name`; without a name, of the only one of the file.

    Of the top level it needs nothing: a sprayer may stand where the pool's other services do not.
    ConfigError says where a mistake is, what is wrong there, what is allowed, and gives an example.
    """
    document = open_settings(path, overrides)
    example = f"[{SPRAYER_TABLE}.s0]\npasswd = {EXAMPLES['passwd']}"
    return read_sprayer(document, document.named_table(SPRAYER_TABLE, "sprayer", name, example))


def read_sprayer(document: SettingsDocument, table: KeyPath) -> SprayerSettings:
    """The settings in a table of the document."""
    values = document.table(table)
    if not isinstance(values, dict):
        raise document.error(table, f"a sprayer is a table: write it as [{'.'.join(table)}]")
    document.refuse_unknown(table, SprayerSettings)
    checked = document.checked(table, SprayerSettings, values)
    try:
        return SprayerSettings(**checked)
    except ConfigError as error:
        raise document.located(error, table) from error
