"""What pool.toml says about the master."""

from pathlib import Path
from typing import Any, Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.settings_document import EXAMPLES, SettingsDocument
from packetcrypt.handler.settings_file import read_pktd
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.protocol.errors import ConfigError

_TABLE: Final = ("master",)


def load_master_settings(path: Path) -> MasterSettings:
    """The settings of the master; the handlers that it lists are those of the same file.

    ConfigError says the file and line, what is wrong there, what is allowed, and gives an example.
    """
    document = SettingsDocument(path)
    values = document.content.get("master")
    if not isinstance(values, dict):
        raise document.error(
            _TABLE,
            "it has no master: add a table, e.g.\n"
            f"[master]\npaymaker_url = {EXAMPLES['paymaker_url']}",
        )
    pool_values = document.top_level()
    document.refuse_unknown(_TABLE, MasterSettings)
    document.check_types(_TABLE, MasterSettings, values)
    handlers = {
        f"{table}s": _public_urls(document, table) for table in ("ann_handler", "block_handler")
    }
    try:
        settings: dict[str, Any] = {**values, **handlers, "pktd": read_pktd(document)}
        return MasterSettings(pool=PoolSettings(**pool_values), **settings)
    except ConfigError as error:
        if str(error).startswith(str(path)):
            raise
        raise document.located(error, _TABLE) from error


def _public_urls(document: SettingsDocument, table: str) -> tuple[str, ...]:
    """The `public_url` of every [table.NAME], in the order of the file."""
    urls = []
    for name, values in document.content.get(table, {}).items():
        url = values.get("public_url") if isinstance(values, dict) else None
        if not isinstance(url, str):
            raise document.error(
                (table, name), f"[{table}.{name}] lacks public_url, by which the master lists it"
            )
        urls.append(url)
    return tuple(urls)
