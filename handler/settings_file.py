"""What pool.toml says about one handler.

The file is shared by all services of a pool. Each reads the top level and its own tables, strictly:
a key that it does not know is a spelling mistake until proven otherwise.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings import AnnHandlerSettings, HandlerSettings, PoolSettings
from packetcrypt.handler.toml_lines import KeyPath, key_lines, line_of
from packetcrypt.protocol.errors import ConfigError

PKTD_TABLE: Final = "pktd"
TABLES: Final = ("ann_handler", "block_handler", "master", "paymaker", PKTD_TABLE, "sprayer")
"""of all of the pool's services, which leave each other's alone"""

_NOT_IN_FILE = ("pool", "name", "pktd")
_TYPE_NAMES: Final = MappingProxyType(
    {str: "a string", float: "a number", int: "an integer", bool: "true or false"}
)

S = TypeVar("S", bound=HandlerSettings)
_EXAMPLES = MappingProxyType(
    {
        "master_url": '"http://pool.example/master"',
        "root_workdir": '"/var/lib/packetcrypt"',
        "paymaker_http_password": '"a long random word"',
        "private_seed": '"a long random word that never changes"',
        "public_url": '"http://pool.example/ah0"',
        "block_miner_passwd": '"another long random word"',
        "user": '"x"',
        "password": '"what pktd has as rpcpass"',
        "tls_certificate": '"rpc.cert"',
    }
)


def load_ann_handler_settings(path: Path, name: str | None = None) -> AnnHandlerSettings:
    """The settings of announcement handler `name`; without a name, of the only one of the file.

    ConfigError says the file and line, what is wrong there, what is allowed, and gives an example.
    """
    return _handler(_Document(path), AnnHandlerSettings, name)


def load_block_handler_settings(path: Path, name: str | None = None) -> BlockHandlerSettings:
    """The settings of block handler `name`, likewise, with those of the pool's pktd."""
    document = _Document(path)
    return _handler(document, BlockHandlerSettings, name, pktd=_pktd(document))


def _handler(
    document: "_Document", settings: type[S], name: str | None, **others: PktdSettings
) -> S:
    pool_values = document.top_level()
    tables = document.content.get(settings.TABLE, {})
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise document.error(
            (settings.TABLE,),
            f"the table of a handler needs a name: write the table as [{settings.TABLE}.NAME]",
        )
    chosen = _choose(document, settings, tables, name)
    table = (settings.TABLE, chosen)
    document.refuse_unknown(table, settings)
    document.check_types(table, settings, tables[chosen])
    try:
        pool = PoolSettings(**pool_values)
        return settings(pool=pool, name=chosen, **{**tables[chosen], **others})
    except ConfigError as error:
        # The settings name the key that they refuse first: `key = "value" is …`.
        key = str(error).split(" = ")[0]
        raise document.error(
            (key,) if key in _names(PoolSettings) else (*table, key), str(error)
        ) from error


def _pktd(document: "_Document") -> PktdSettings:
    table = (PKTD_TABLE,)
    values = document.content.get(PKTD_TABLE)
    if not isinstance(values, dict):
        raise document.error(
            table,
            "it does not say where pktd is: add a table, e.g.\n"
            f"[{PKTD_TABLE}]\nuser = {_EXAMPLES['user']}\npassword = {_EXAMPLES['password']}",
        )
    document.refuse_unknown(table, PktdSettings)
    document.check_types(table, PktdSettings, values)
    if "tls_certificate" in values:
        values = {**values, "tls_certificate": document.path.parent / values["tls_certificate"]}
    try:
        return PktdSettings(**values)
    except ConfigError as error:
        key = str(error).split(" = ")[0]
        raise document.error((*table, key), str(error)) from error


def _choose(
    document: "_Document", settings: type[HandlerSettings], tables: dict[str, Any], name: str | None
) -> str:
    kind, table = settings.KIND, settings.TABLE
    if not tables:
        raise document.error(
            (),
            f"it has no {kind}: add a table, e.g.\n"
            f"[{table}.{settings.EXAMPLE_NAME}]\npublic_url = {_EXAMPLES['public_url']}",
        )
    if name is None and len(tables) > 1:
        raise document.error(
            (table,), f"it has several {kind}s: name one of {', '.join(sorted(tables))}"
        )
    chosen = next(iter(tables)) if name is None else name
    if chosen not in tables:
        raise document.error(
            (table,),
            f'it has no {kind} "{chosen}", only {", ".join(sorted(tables))}: '
            f"name one of them or add the table [{table}.{chosen}]",
        )
    return chosen


class _Document:
    """A parsed TOML file, and how mistakes in it are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[KeyPath, int] = {}
        try:
            text = path.read_text(encoding="utf-8")
            self.content = tomllib.loads(text)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error.strerror}): give the pool's settings file with -C"
            ) from error
        except ValueError as error:
            raise ConfigError(f"{path}: not a TOML file: {error}") from error
        self._lines = key_lines(text)

    def error(self, key_path: KeyPath, message: str) -> ConfigError:
        line = line_of(self._lines, key_path)
        return ConfigError(f"{self.path}{'' if line is None else f':{line}'}: {message}")

    def top_level(self) -> dict[str, Any]:
        """The values of `PoolSettings`, checked."""
        self.refuse_unknown((), PoolSettings, TABLES)
        names = _names(PoolSettings)
        values = {key: value for key, value in self.content.items() if key in names}
        self.check_types((), PoolSettings, values)
        return {**values, "root_workdir": self.path.parent / values["root_workdir"]}

    def refuse_unknown(self, table: KeyPath, settings: type, others: Sequence[str] = ()) -> None:
        """Every key is a setting, or one of the `others`."""
        allowed = [*_names(settings), *others]
        for key in self._table(table):
            if key not in allowed:
                place = f"in [{'.'.join(table)}]" if table else "at the top level"
                raise self.error(
                    (*table, key),
                    f'"{key}" is no setting {place}: allowed are {", ".join(sorted(allowed))}; '
                    f"e.g. {_example(settings, allowed[0])}",
                )

    def check_types(self, table: KeyPath, settings: type, values: dict[str, Any]) -> None:
        """Every setting that has no default is there, and every value has its setting's type."""
        for setting in fields(settings):
            if setting.name in _NOT_IN_FILE:
                continue
            if setting.name in values:
                self._check_type(table, settings, setting, values[setting.name])
            elif setting.default is MISSING:
                place = f"[{'.'.join(table)}] lacks" if table else "the top level lacks"
                raise self.error(
                    table, f'{place} "{setting.name}": add e.g. {_example(settings, setting.name)}'
                )

    def _check_type(
        self, table: KeyPath, settings: type, setting: Field[Any], value: object
    ) -> None:
        if setting.type is float and type(value) is int:
            return
        # A path is a string in TOML, and bool is a subclass of int in Python.
        wanted = str if setting.type in (Path, Path | None) else setting.type
        if type(value) is not wanted:
            assert isinstance(wanted, type)
            raise self.error(
                (*table, setting.name),
                f"{setting.name} must be {_TYPE_NAMES[wanted]}, not of type "
                f"{type(value).__name__}: e.g. {_example(settings, setting.name)}",
            )

    def _table(self, path: KeyPath) -> dict[str, Any]:
        table = self.content
        for key in path:
            table = table[key]
        return table


def _names(settings: type) -> list[str]:
    return [setting.name for setting in fields(settings) if setting.name not in _NOT_IN_FILE]


def _example(settings: type, name: str) -> str:
    if name in _EXAMPLES:
        return f"{name} = {_EXAMPLES[name]}"
    (default,) = (setting.default for setting in fields(settings) if setting.name == name)
    return f"{name} = {json.dumps(default)}"
