"""A settings file as TOML says it, and how mistakes in it are told: file, line, remedy, example."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.toml_lines import KeyPath, key_lines, line_of
from packetcrypt.protocol.errors import ConfigError

TABLES: Final = ("ann_handler", "block_handler", "master", "paymaker", "pktd", "sprayer")
"""of all of the pool's services, which leave each other's alone"""

_NOT_IN_FILE: Final = ("pool", "name", "pktd", "sprayer", "ann_handlers", "block_handlers")
"""fields that are not single values of the table"""
_TYPE_NAMES: Final = MappingProxyType(
    {
        tuple[str, ...]: "a list of strings",
        str: "a string",
        float: "a number",
        int: "an integer",
        bool: "true or false",
    }
)

EXAMPLES = MappingProxyType(
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
        "passwd": '"what block miners subscribe with"',
        "spray_at": '["192.0.2.7:6666"]',
        "subscribe": '["ah1.pool.example:6666"]',
        "paymaker_url": '"http://pool.example/paymaker"',
        "mcast": '"239.77.0.1:6666"',
        "default_address": '"an address of the pool, pkt1…"',
        "error_address": '"another address of the pool, pkt1…"',
    }
)


class SettingsDocument:
    """A parsed TOML file, with nothing unknown at its top level."""

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
        self.refuse_unknown((), PoolSettings, TABLES)

    def error(self, key_path: KeyPath, message: str) -> ConfigError:
        """A mistake at a key or table."""
        line = line_of(self._lines, key_path)
        return ConfigError(f"{self.path}{'' if line is None else f':{line}'}: {message}")

    def located(self, error: ConfigError, table: KeyPath) -> ConfigError:
        """What settings refuse, with its line: they name the key first, `key = "value" is …`."""
        key = str(error).split(" = ")[0]
        return self.error((key,) if key in names(PoolSettings) else (*table, key), str(error))

    def top_level(self) -> dict[str, Any]:
        """The values of `PoolSettings`, with their types checked."""
        known = names(PoolSettings)
        values = {key: value for key, value in self.content.items() if key in known}
        self.check_types((), PoolSettings, values)
        return {**values, "root_workdir": self.path.parent / values["root_workdir"]}

    def named_table(self, table: str, kind: str, name: str | None, example: str) -> KeyPath:
        """Which [table.NAME] is meant: that of `name`; without a name, the only one.

        kind    : what such a service is called, e.g. "announcement handler"
        example : a table that could be added
        """
        tables = self.content.get(table, {})
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            raise self.error((table,), f"a service needs a name: write the table as [{table}.NAME]")
        if not tables:
            raise self.error((), f"it has no {kind}: add a table, e.g.\n{example}")
        names = ", ".join(sorted(tables))
        if name is None and len(tables) > 1:
            raise self.error((table,), f"it has several {kind}s: name one of {names}")
        chosen = next(iter(tables)) if name is None else name
        if chosen not in tables:
            raise self.error(
                (table,),
                f'it has no {kind} "{chosen}", only {names}: '
                f"name one of them or add the table [{table}.{chosen}]",
            )
        return (table, chosen)

    def only_table(self, name: str, settings: type, missing: str) -> dict[str, Any]:
        """The values of the table [name], their names and types checked.

        missing : what to say if it is not there
        """
        values = self.content.get(name)
        if not isinstance(values, dict):
            raise self.error((name,), missing)
        self.refuse_unknown((name,), settings)
        self.check_types((name,), settings, values)
        return values

    def refuse_unknown(self, table: KeyPath, settings: type, others: Sequence[str] = ()) -> None:
        """Every key is a setting, or one of the `others`."""
        allowed = [*names(settings), *others]
        for key in self.table(table):
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
        wanted: Any = str if setting.type in (Path, Path | None) else setting.type
        if not _is_of(wanted, value):
            raise self.error(
                (*table, setting.name),
                f"{setting.name} must be {_TYPE_NAMES[wanted]}, not of type "
                f"{type(value).__name__}: e.g. {_example(settings, setting.name)}",
            )

    def table(self, path: KeyPath) -> dict[str, Any]:
        """The content of a table that is there."""
        table = self.content
        for key in path:
            table = table[key]
        return table


def names(settings: type) -> list[str]:
    """What the settings of a table are called, those without a default first."""
    return [setting.name for setting in fields(settings) if setting.name not in _NOT_IN_FILE]


def _example(settings: type, name: str) -> str:
    if name in EXAMPLES:
        return f"{name} = {EXAMPLES[name]}"
    (default,) = (setting.default for setting in fields(settings) if setting.name == name)
    return f"{name} = {json.dumps(default)}"


def _is_of(wanted: Any, value: object) -> bool:
    if wanted == tuple[str, ...]:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(value) is wanted
