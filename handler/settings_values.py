"""Which values a setting of a file takes, by its field in a dataclass, and what one looks like."""

import json
from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from packetcrypt.handler import settings_secrets
from packetcrypt.protocol.errors import ConfigError

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

EXAMPLES: Final = MappingProxyType(
    {
        **{name: f'"{text}"' for name, text in settings_secrets.EXAMPLES.items()},
        "master_url": '"http://pool.example/master"',
        "root_workdir": '"/var/lib/packetcrypt"',
        "public_url": '"http://pool.example/ah0"',
        "user": '"x"',
        "tls_certificate": '"rpc.cert"',
        "spray_at": '["192.0.2.7:6666"]',
        "subscribe": '["ah1.pool.example:6666"]',
        "paymaker_url": '"http://pool.example/paymaker"',
        "mcast": '"239.77.0.1:6666"',
        "default_address": '"an address of the pool, pkt1…"',
        "error_address": '"another address of the pool, pkt1…"',
        "trusted_proxies": '["127.0.0.1"]',
    }
)
"""TOML values of settings whose default, if they have one, says little"""


def settings_of(table: type) -> Sequence[Field[Any]]:
    """The settings that a table of a file has, in the order of its dataclass."""
    return [setting for setting in fields(table) if setting.name not in _NOT_IN_FILE]


def example(setting: Field[Any]) -> str:
    """An assignment that a file could have."""
    return f"{setting.name} = {EXAMPLES.get(setting.name) or json.dumps(setting.default)}"


def typed(setting: Field[Any], value: object, text: str | None = None) -> object:
    """A value as the dataclass takes it; ConfigError says why another is none.

    value : as `tomllib` gives it
    text  : what was written, if it was no TOML file: a string need not have quotes there, and what
            looks like a number may be one
    """
    # A path is a string in TOML, and bool is a subclass of int in Python.
    wanted: Any = str if setting.type in (Path, Path | None) else setting.type
    if wanted is str and text is not None and not isinstance(value, str):
        return text
    if wanted is float and type(value) is int:
        return value
    if wanted == tuple[str, ...] and _is_list_of_strings(value):
        return tuple(value)
    if type(value) is not wanted:
        raise ConfigError(
            f"{setting.name} must be {_TYPE_NAMES[wanted]}, not of type "
            f"{type(value).__name__}: e.g. {example(setting)}"
        )
    return value


def _is_list_of_strings(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
