"""What pool.toml says about the master."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.settings_document import SettingsDocument, open_settings
from packetcrypt.handler.settings_file import read_pktd
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.handler.settings_values import EXAMPLES
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.protocol.errors import ConfigError

_TABLE: Final = "master"


def load_master_settings(path: Path, overrides: Sequence[Override] = ()) -> MasterSettings:
    """The settings of the master; the handlers that it lists are those of the same file.

    ConfigError says where a mistake is, what is wrong there, what is allowed, and gives an example.
    """
    return read_master(open_settings(path, overrides))


def read_master(document: SettingsDocument) -> MasterSettings:
    """The settings of the master in a document."""
    values = document.only_table(
        _TABLE,
        MasterSettings,
        "it has no master: add a table, e.g.\n"
        f"[{_TABLE}]\npaymaker_url = {EXAMPLES['paymaker_url']}",
    )
    pool_values = document.top_level()
    pktd = read_pktd(document)
    ann_handlers = _public_urls(document, "ann_handler")
    block_handlers = _public_urls(document, "block_handler")
    try:
        return MasterSettings(
            pool=PoolSettings(**pool_values),
            pktd=pktd,
            ann_handlers=ann_handlers,
            block_handlers=block_handlers,
            **values,
        )
    except ConfigError as error:
        raise document.located(error, (_TABLE,)) from error


def _public_urls(document: SettingsDocument, table: str) -> tuple[str, ...]:
    """The `public_url` of every [table.NAME], in the order of the file."""
    urls = []
    for name, values in document.named_tables(table).items():
        url = values.get("public_url")
        if not isinstance(url, str):
            raise document.error(
                (table, name), f"[{table}.{name}] lacks public_url, by which the master lists it"
            )
        urls.append(url)
    return tuple(urls)
