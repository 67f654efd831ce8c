"""What pool.toml says about a development chain."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.settings_document import SettingsDocument, open_settings
from packetcrypt.handler.settings_file import read_pktd
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.protocol.errors import ConfigError

_TABLE: Final = "devchain"


def load_devchain_settings(path: Path, overrides: Sequence[Override] = ()) -> DevchainSettings:
    """The settings of the development chain.

    ConfigError says where a mistake is, what is wrong there, what is allowed, and gives an example.
    """
    return read_devchain(open_settings(path, overrides))


def read_devchain(document: SettingsDocument) -> DevchainSettings:
    """The settings of the development chain in a document."""
    values = document.only_table(
        _TABLE, DevchainSettings, f"it has no development chain: add a table, e.g.\n[{_TABLE}]"
    )
    pool_values = document.top_level()
    pktd = read_pktd(document)
    try:
        return DevchainSettings(pool=PoolSettings(**pool_values), pktd=pktd, **values)
    except ConfigError as error:
        raise document.located(error, (_TABLE,)) from error
