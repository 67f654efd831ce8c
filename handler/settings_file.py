"""What pool.toml says about one handler.

The file is shared by all services of a pool. Each reads the top level and its own tables, strictly:
a key that it does not know is a spelling mistake until proven otherwise.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings import AnnHandlerSettings, HandlerSettings, PoolSettings
from packetcrypt.handler.settings_document import SettingsDocument, open_settings
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.handler.settings_values import EXAMPLES
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.sprayer_settings_file import SPRAYER_TABLE, read_sprayer
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.protocol.errors import ConfigError

PKTD_TABLE: Final = "pktd"

S = TypeVar("S", bound=HandlerSettings)


def load_ann_handler_settings(
    path: Path, name: str | None = None, overrides: Sequence[Override] = ()
) -> AnnHandlerSettings:
    """The settings of announcement handler `name`; without a name, of the only one of the file.

    ConfigError says where a mistake is, what is wrong there, what is allowed, and gives an example.
    """
    return read_ann_handler(open_settings(path, overrides), name)


def load_block_handler_settings(
    path: Path, name: str | None = None, overrides: Sequence[Override] = ()
) -> BlockHandlerSettings:
    """The settings of block handler `name`, likewise, with those of the pool's pktd."""
    return read_block_handler(open_settings(path, overrides), name)


def read_ann_handler(document: SettingsDocument, name: str | None = None) -> AnnHandlerSettings:
    """The settings of an announcement handler in a document."""
    table = _table(document, AnnHandlerSettings, name)
    has_sprayer = SPRAYER_TABLE in document.table(table)
    sprayer = _read_inner_sprayer(document, table) if has_sprayer else None
    return _handler(document, AnnHandlerSettings, table, (SPRAYER_TABLE,), sprayer=sprayer)


def _read_inner_sprayer(document: SettingsDocument, table: KeyPath) -> SprayerSettings:
    sprayer = read_sprayer(document, (*table, SPRAYER_TABLE))
    if sprayer.metrics_bind:
        raise document.error(
            (*table, SPRAYER_TABLE, "metrics_bind"),
            f'metrics_bind = "{sprayer.metrics_bind}" is for a sprayer of its own: this one is in '
            "/health and /metrics of its handler, so remove it here",
        )
    return sprayer


def read_block_handler(document: SettingsDocument, name: str | None = None) -> BlockHandlerSettings:
    """The settings of a block handler in a document."""
    table = _table(document, BlockHandlerSettings, name)
    return _handler(document, BlockHandlerSettings, table, (), pktd=read_pktd(document))


def _table(
    document: SettingsDocument, settings: type[HandlerSettings], name: str | None
) -> KeyPath:
    example = f"[{settings.TABLE}.{settings.EXAMPLE_NAME}]\npublic_url = {EXAMPLES['public_url']}"
    return document.named_table(settings.TABLE, settings.KIND, name, example)


def _handler(
    document: SettingsDocument,
    settings: type[S],
    table: KeyPath,
    inner_tables: Sequence[str],
    **others: Any,
) -> S:
    pool_values = document.top_level()
    document.refuse_unknown(table, settings, inner_tables)
    values = document.checked(table, settings, document.table(table))
    try:
        pool = PoolSettings(**pool_values)
        return settings(pool=pool, name=table[-1], **values, **others)
    except ConfigError as error:
        raise document.located(error, table) from error


def read_pktd(document: SettingsDocument) -> PktdSettings:
    """The pool's table [pktd]."""
    values = document.only_table(
        PKTD_TABLE,
        PktdSettings,
        "it does not say where pktd is: add a table, e.g.\n"
        f"[{PKTD_TABLE}]\nuser = {EXAMPLES['user']}\npassword = {EXAMPLES['password']}",
    )
    if "tls_certificate" in values:
        values = {**values, "tls_certificate": document.path.parent / values["tls_certificate"]}
    try:
        return PktdSettings(**values)
    except ConfigError as error:
        raise document.located(error, (PKTD_TABLE,)) from error
