"""Which settings come from flags and the environment instead of the file, and whence each came.

    --set master.bind=0.0.0.0:8080
    PACKETCRYPT__MASTER__BIND=0.0.0.0:8080

They are merged into the parsed file, flags over the environment over the file, so that all are
checked alike; a mistake is told with the flag or variable that it is in.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.protocol.errors import ConfigError

VARIABLE_PREFIX: Final = "PACKETCRYPT__"
_EXAMPLE: Final = "e.g. --set master.bind=0.0.0.0:8080"


@dataclass(frozen=True)
class Override:
    """One setting from outside the file.

    origin      : the flag or variable, as messages name it
    path        : tables and key, as they were written
    text        : the value: TOML, or a bare string
    is_variable : variables match names without regard to case, and "_" also matches "-", because
                  shells and service managers allow no other names
    """

    origin: str
    path: KeyPath
    text: str = field(repr=False)
    is_variable: bool = False

    @classmethod
    def of_flag(cls, text: str) -> Self:
        """Reads the KEY=VALUE of `--set`; ConfigError if it is none."""
        key, equals, value = text.partition("=")
        path = tuple(part.strip() for part in key.split("."))
        if not equals or not all(path):
            raise ConfigError(
                f'--set "{key}" is no setting with a value: give KEY=VALUE, {_EXAMPLE}'
            )
        return cls(f"--set {'.'.join(path)}", path, value.strip())

    @property
    def value(self) -> object:
        """The TOML value that the text is, else the text itself."""
        try:
            parsed = tomllib.loads(f"value = {self.text}")
        except tomllib.TOMLDecodeError:
            return self.text
        value = parsed.pop("value")
        return self.text if parsed or isinstance(value, dict) else value


def environment_overrides(environment: Mapping[str, str]) -> tuple[Override, ...]:
    """The settings among a process's environment variables, in the order of their names."""
    return tuple(
        Override(
            f"variable {name}",
            tuple(name[len(VARIABLE_PREFIX) :].split("__")),
            text,
            is_variable=True,
        )
        for name, text in sorted(environment.items())
        if name.upper().startswith(VARIABLE_PREFIX)
    )


def merge(
    content: dict[str, Any], overrides: Sequence[Override], tables: Sequence[str]
) -> dict[KeyPath, Override]:
    """Puts overrides into a document, later ones over earlier ones; returns which are in force.

    content : a parsed file, which is changed. Tables that it lacks are made
    tables  : keys of the top level that are tables
    """
    in_force: dict[KeyPath, Override] = {}
    for override in overrides:
        table = content
        path: KeyPath = ()
        for part in override.path[:-1]:
            name = _matching(table, part, override)
            path = (*path, name)
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise ConfigError(
                    f'{override.origin}: "{".".join(path)}" is a setting and no table: '
                    f"give TABLE.KEY=VALUE, {_EXAMPLE}"
                )
        name = _matching(table, override.path[-1], override)
        path = (*path, name)
        if isinstance(table.get(name), dict) or (len(path) == 1 and name in tables):
            raise ConfigError(
                f"{override.origin}: [{'.'.join(path)}] is a table: give one of its settings, "
                f"{_EXAMPLE}"
            )
        before = in_force.get(path)
        if before is not None and before.is_variable and override.is_variable:
            raise ConfigError(
                f"{override.origin} and {before.origin} are the same setting: leave one out"
            )
        table[name] = override.value
        in_force[path] = override
    return in_force


def _matching(table: dict[str, Any], part: str, override: Override) -> str:
    """What a part of an override's path is called in a table."""
    if not override.is_variable:
        return part
    same = [name for name in table if _folded(name) == _folded(part)]
    if len(same) > 1:
        raise ConfigError(
            f"{override.origin} may mean {' or '.join(same)}: use --set, which tells them apart"
        )
    return same[0] if same else part.lower()


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
