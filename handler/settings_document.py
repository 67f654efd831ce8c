"""A settings file as TOML says it, and how mistakes in it are told: file, line, remedy, example."""

import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Final

from packetcrypt.handler.settings import PoolSettings
from packetcrypt.handler.settings_overrides import Override, merge
from packetcrypt.handler.settings_secrets import are_exposed, refuse_known_secret
from packetcrypt.handler.settings_values import example, settings_of, typed
from packetcrypt.handler.toml_lines import KeyPath, key_lines, place_of
from packetcrypt.protocol.errors import ConfigError

TABLES: Final = (
    "ann_handler",
    "block_handler",
    "devchain",
    "master",
    "paymaker",
    "pktd",
    "sprayer",
)
"""of all of the pool's services, which leave each other's alone"""

EXPOSED: Final = "holds passwords that every user of this machine may read"

_log = logging.getLogger(__name__)


class SettingsError(ConfigError):
    """A mistake in the settings.

    where   : file and line, flag or variable
    message : what is wrong there, and the remedy
    """

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where
        self.message = message


class SettingsDocument:
    """A parsed TOML file with the settings that override it, and nothing unknown at its top level.

    overrides  : from outside the file; later ones override earlier ones
    is_exposed : whether it holds passwords that every user of this machine may read
    """

    def __init__(self, path: Path, overrides: Sequence[Override] = ()) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
            self.content = tomllib.loads(text)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error.strerror}): give the pool's settings file with -C"
            ) from error
        except ValueError as error:
            raise ConfigError(f"{path}: not a TOML file: {error}") from error
        self.is_exposed = are_exposed(path, self.content)
        in_force = merge(self.content, overrides, TABLES)
        self._texts = {key: override.text for key, override in in_force.items()}
        self._places = {key: f"{path}:{line}" for key, line in key_lines(text).items()}
        self._places |= {key: override.origin for key, override in in_force.items()}
        self.refuse_unknown((), PoolSettings, TABLES)

    def error(self, key_path: KeyPath, message: str) -> SettingsError:
        """A mistake at a key or table."""
        return SettingsError(self.where(key_path), message)

    def where(self, key_path: KeyPath) -> str:
        """File and line of a key or table, or the flag or variable that it comes from."""
        return place_of(self._places, key_path) or str(self.path)

    def located(self, error: ConfigError, table: KeyPath) -> SettingsError:
        """What settings refuse, with its line: they name the key first, `key = "value" is …`."""
        key = str(error).split(" = ")[0]
        top_level = {setting.name for setting in settings_of(PoolSettings)}
        return self.error((key,) if key in top_level else (*table, key), str(error))

    def top_level(self) -> dict[str, Any]:
        """The values of `PoolSettings`, with their types checked."""
        known = {setting.name for setting in settings_of(PoolSettings)}
        given = {key: value for key, value in self.content.items() if key in known}
        values = self.checked((), PoolSettings, given)
        return {**values, "root_workdir": self.path.parent / values["root_workdir"]}

    def named_tables(self, table: str) -> dict[str, dict[str, Any]]:
        """All [table.NAME], in the order of the file."""
        tables = self.content.get(table, {})
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            raise self.error((table,), f"a service needs a name: write the table as [{table}.NAME]")
        return tables

    def named_table(self, table: str, kind: str, name: str | None, example: str) -> KeyPath:
        """Which [table.NAME] is meant: that of `name`; without a name, the only one.

        kind    : what such a service is called, e.g. "announcement handler"
        example : a table that could be added
        """
        tables = self.named_tables(table)
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
        return self.checked((name,), settings, values)

    def refuse_unknown(self, table: KeyPath, settings: type, others: Sequence[str] = ()) -> None:
        """Every key is a setting, or one of the `others`."""
        allowed = {setting.name: setting for setting in settings_of(settings)}
        for key in self.table(table):
            if key not in allowed and key not in others:
                place = f"in [{'.'.join(table)}]" if table else "at the top level"
                raise self.error(
                    (*table, key),
                    f'"{key}" is no setting {place}: allowed are '
                    f"{', '.join(sorted([*allowed, *others]))}; "
                    f"e.g. {example(next(iter(allowed.values())))}",
                )

    def checked(self, table: KeyPath, settings: type, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a table as its settings take them.

        Every setting that has no default is there, every value has its setting's type, and no
        secret is one that everybody knows.
        """
        checked = {}
        for setting in settings_of(settings):
            path = (*table, setting.name)
            if setting.name in values:
                try:
                    value = typed(setting, values[setting.name], self._texts.get(path))
                    refuse_known_secret(setting.name, value)
                except ConfigError as error:
                    raise self.error(path, str(error)) from error
                checked[setting.name] = value
            elif setting.default is MISSING:
                place = f"[{'.'.join(table)}] lacks" if table else "the top level lacks"
                raise self.error(table, f'{place} "{setting.name}": add e.g. {example(setting)}')
        return checked

    def table(self, path: KeyPath) -> dict[str, Any]:
        """The content of a table that is there."""
        table = self.content
        for key in path:
            table = table[key]
        return table


def open_settings(path: Path, overrides: Sequence[Override] = ()) -> SettingsDocument:
    """The document that a service starts with; an exposed file is warned about in the log."""
    document = SettingsDocument(path, overrides)
    if document.is_exposed:
        _log.warning("%s %s: chmod o-rwx %s", path, EXPOSED, path)
    return document
