"""On which line of a TOML file a table or key stands, which `tomllib` does not say."""

import re
from collections.abc import Mapping
from typing import TypeVar

_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_ASSIGNMENT = re.compile(r"""\s*((?:[\w.\s-]|"[^"]*"|'[^']*')+?)\s*=""")
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*\.?""")

KeyPath = tuple[str, ...]
P = TypeVar("P")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line numbers, from 1, of the tables and keys of a TOML text that `tomllib` has accepted.

    Keys of inline tables are not listed: `place_of` gives the line of the table then. A line inside
    a multi-line string that looks like an assignment may be listed too, which no caller asks for.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _parts(header[1])
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault(table + _parts(assignment[1]), number)
    return lines


def place_of(places: Mapping[KeyPath, P], path: KeyPath) -> P | None:
    """The place of a key, else of the innermost table around it that has one.

    places : of tables and keys, e.g. lines; of a table without one, the first of what is in it
    """
    for length in range(len(path), 0, -1):
        for key, place in places.items():
            if key[:length] == path[:length]:
                return place
    return None


def _parts(dotted: str) -> KeyPath:
    return tuple(double or single or bare for double, single, bare in _PART.findall(dotted.strip()))
