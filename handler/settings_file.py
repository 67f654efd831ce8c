"""What pool.toml says about one announcement handler.

The file is shared by all services of a pool. Each reads the top level and its own tables, strictly:
a key that it does not know is a spelling mistake until proven otherwise.
"""

import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packetcrypt.handler.settings import AnnHandlerSettings, PoolSettings
from packetcrypt.handler.toml_lines import KeyPath, key_lines, line_of
from packetcrypt.protocol.errors import ConfigError

HANDLERS_TABLE = "ann_handler"
OTHER_SERVICES = ("block_handler", "master", "paymaker", "sprayer")
"""tables of the pool's other services, which this one leaves alone"""

_NOT_IN_FILE = ("pool", "name")
_EXAMPLES = MappingProxyType(
    {
        "master_url": '"http://pool.example/master"',
        "root_workdir": '"/var/lib/packetcrypt"',
        "paymaker_http_password": '"a long random word"',
        "public_url": '"http://pool.example/ah0"',
        "block_miner_passwd": '"another long random word"',
    }
)


def load_ann_handler_settings(path: Path, name: str | None = None) -> AnnHandlerSettings:
    """The settings of handler `name`; without a name, of the only handler of the file.

    ConfigError says the file and line, what is wrong there, what is allowed, and gives an example.
    """
    document = _Document(path)
    document.refuse_unknown((), [*_names(PoolSettings), HANDLERS_TABLE, *OTHER_SERVICES])
    pool_values = {
        key: value for key, value in document.content.items() if key in _names(PoolSettings)
    }
    document.check_types((), PoolSettings, pool_values)
    pool_values["root_workdir"] = path.parent / pool_values["root_workdir"]

    tables = document.content.get(HANDLERS_TABLE, {})
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise document.error(
            (HANDLERS_TABLE,),
            f"an announcement handler needs a name: write the table as [{HANDLERS_TABLE}.NAME]",
        )
    chosen = _choose(document, tables, name)
    table = (HANDLERS_TABLE, chosen)
    document.refuse_unknown(table, _names(AnnHandlerSettings))
    document.check_types(table, AnnHandlerSettings, tables[chosen])
    try:
        pool = PoolSettings(**pool_values)
        return AnnHandlerSettings(pool=pool, name=chosen, **tables[chosen])
    except ConfigError as error:
        # The settings name the key that they refuse first: `key = "value" is …`.
        key = str(error).split(" = ")[0]
        raise document.error(
            (key,) if key in _names(PoolSettings) else (*table, key), str(error)
        ) from error


def _choose(document: "_Document", tables: dict[str, Any], name: str | None) -> str:
    if not tables:
        raise document.error(
            (),
            "it has no announcement handler: add a table, e.g.\n"
            f"[{HANDLERS_TABLE}.ah0]\npublic_url = {_EXAMPLES['public_url']}",
        )
    if name is None and len(tables) > 1:
        raise document.error(
            (HANDLERS_TABLE,),
            f"it has several announcement handlers: name one of {', '.join(sorted(tables))}",
        )
    chosen = next(iter(tables)) if name is None else name
    if chosen not in tables:
        raise document.error(
            (HANDLERS_TABLE,),
            f'it has no announcement handler "{chosen}", only {", ".join(sorted(tables))}: '
            f"name one of them or add the table [{HANDLERS_TABLE}.{chosen}]",
        )
    return chosen


class _Document:
    """A parsed TOML file, and how mistakes in it are told."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
        return ConfigError(f"{self._path}{'' if line is None else f':{line}'}: {message}")

    def refuse_unknown(self, table: KeyPath, allowed: list[str]) -> None:
        for key in self._table(table):
            if key not in allowed:
                place = f"in [{'.'.join(table)}]" if table else "at the top level"
                raise self.error(
                    (*table, key),
                    f'"{key}" is no setting {place}: allowed are {", ".join(sorted(allowed))}; '
                    f"e.g. {_example(allowed[0])}",
                )

    def check_types(self, table: KeyPath, settings: type, values: dict[str, Any]) -> None:
        """Every setting that has no default is there, and every value has its setting's type."""
        for setting in fields(settings):
            if setting.name in _NOT_IN_FILE:
                continue
            if setting.name in values:
                self._check_type(table, setting, values)
            elif setting.default is MISSING:
                place = f"[{'.'.join(table)}] lacks" if table else "the top level lacks"
                raise self.error(
                    table, f'{place} "{setting.name}": add e.g. {_example(setting.name)}'
                )

    def _check_type(self, table: KeyPath, setting: Field[Any], values: dict[str, Any]) -> None:
        value = values[setting.name]
        if setting.type is float and isinstance(value, int) and not isinstance(value, bool):
            return
        # A path is a string in TOML, and bool is a subclass of int in Python.
        wanted = str if setting.type is Path else setting.type
        if type(value) is not wanted:
            kind = "a string" if wanted is str else "a number" if wanted is float else "an integer"
            raise self.error(
                (*table, setting.name),
                f"{setting.name} must be {kind}, not of type {type(value).__name__}: "
                f"e.g. {_example(setting.name)}",
            )

    def _table(self, path: KeyPath) -> dict[str, Any]:
        table = self.content
        for key in path:
            table = table[key]
        return table


def _names(settings: type) -> list[str]:
    return [setting.name for setting in fields(settings) if setting.name not in _NOT_IN_FILE]


def _example(name: str) -> str:
    if name in _EXAMPLES:
        return f"{name} = {_EXAMPLES[name]}"
    default = AnnHandlerSettings.__dataclass_fields__[name].default
    return f'{name} = "{default}"' if isinstance(default, str) else f"{name} = {default}"
