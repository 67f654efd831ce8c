"""What pool.toml says about the paymaker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.settings_document import SettingsDocument, open_settings
from packetcrypt.handler.settings_file import read_pktd
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.handler.settings_values import EXAMPLES
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.protocol.errors import ConfigError

_TABLE: Final = "paymaker"


def load_paymaker_settings(path: Path, overrides: Sequence[Override] = ()) -> PaymakerSettings:
    """The settings of the paymaker.

    ConfigError says where a mistake is, what is wrong there, what is allowed, and gives an example.
    """
    return read_paymaker(open_settings(path, overrides))


def read_paymaker(document: SettingsDocument) -> PaymakerSettings:
    """The settings of the paymaker in a document."""
    values = document.only_table(
        _TABLE,
        PaymakerSettings,
        "it has no paymaker: add a table, e.g.\n"
        f"[{_TABLE}]\ndefault_address = {EXAMPLES['default_address']}\n"
        f"error_address = {EXAMPLES['error_address']}",
    )
    pool_values = document.top_level()
    pktd = read_pktd(document)
    try:
        return PaymakerSettings(pool=PoolSettings(**pool_values), pktd=pktd, **values)
    except ConfigError as error:
        raise document.located(error, (_TABLE,)) from error
