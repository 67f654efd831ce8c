"""What pool.toml says about the paymaker."""

from pathlib import Path
from typing import Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.settings_document import EXAMPLES, SettingsDocument
from packetcrypt.handler.settings_file import read_pktd
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.protocol.errors import ConfigError

_TABLE: Final = "paymaker"


def load_paymaker_settings(path: Path) -> PaymakerSettings:
    """The settings of the paymaker.

    ConfigError says the file and line, what is wrong there, what is allowed, and gives an example.
    """
    document = SettingsDocument(path)
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
