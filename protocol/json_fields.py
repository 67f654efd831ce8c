"""How a JSON object from a peer is read strictly, field by field.

Fields that nobody asks for are ignored (spec 2 "Master"); one that is asked for and is missing, or
has another type or range than the protocol says, is a DecodeError that names it and what came.
"""

import json
import math
import re
from typing import Any, NoReturn

from packetcrypt.protocol.errors import DecodeError

U32_MAX = 0xFFFFFFFF
I32_MAX = 0x7FFFFFFF
_HEX = re.compile(r"[0-9a-fA-F]*", re.ASCII)
_QUOTED_LENGTH = 60


class JsonFields:
    """The fields of one JSON object; `what` names the message in errors, e.g. "config.json"."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise DecodeError(f"{what}: expected a JSON object, got {_described(value)}")
        self._fields: dict[str, object] = value
        self._what = what

    @classmethod
    def parse(cls, body: bytes | str, what: str) -> "JsonFields":
        """Reads the object from JSON text (UTF-8)."""
        try:
            value = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"{what}: not JSON: {error}") from error
        return cls(value, what)

    def names(self) -> set[str]:
        """The names of all fields, for a message in which an unknown one is an error."""
        return set(self._fields)

    def is_absent(self, name: str) -> bool:
        """Whether an optional field is missing or null, which peers use for the same thing."""
        return self._fields.get(name) is None

    def is_null(self, name: str) -> bool:
        """Whether a field is there and says null."""
        return name in self._fields and self._fields[name] is None

    def value(self, name: str) -> object:
        """Any JSON value, null included."""
        return self._required(name)

    def text(self, name: str) -> str:
        """A string."""
        value = self._required(name)
        if not isinstance(value, str):
            self._refuse(name, "a string", value)
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer of low..high; JSON's true and false are none, nor is 1.0."""
        return self._checked_integer(name, self._required(name), low, high)

    def number(self, name: str) -> float:
        """A finite number, integer or not."""
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(name, "a number", value)
        try:
            number = float(value)
        except OverflowError:
            self._refuse(name, "a number that fits 64 bits", value)
        if not math.isfinite(number):
            self._refuse(name, "a finite number", value)
        return number

    def boolean(self, name: str) -> bool:
        """True or false; JSON's 0 and 1 are neither."""
        value = self._required(name)
        if not isinstance(value, bool):
            self._refuse(name, "true or false", value)
        return value

    def hex_bytes(self, name: str, size: int | None = None) -> bytes:
        """Exactly `size` bytes written in hexadecimal, or any number of them."""
        return self._checked_hex(name, self._required(name), size)

    def hex_array(self, name: str, size: int, length: int | None = None) -> tuple[bytes, ...]:
        """An array of `length` elements, or any number, each `size` bytes in hexadecimal."""
        array = self._array(name)
        if length not in (None, len(array)):
            rule = f"an array of {length} elements"
            raise DecodeError(f'{self._what}: field "{name}" must be {rule}, got {len(array)}')
        return tuple(
            self._checked_hex(f"{name}[{index}]", item, size) for index, item in enumerate(array)
        )

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings."""
        return tuple(
            item if isinstance(item, str) else self._refuse(name, "an array of strings", item)
            for item in self._array(name)
        )

    def integers(self, name: str, low: int, high: int) -> tuple[int, ...]:
        """An array of integers of low..high."""
        return tuple(self._checked_integer(name, item, low, high) for item in self._array(name))

    def fields(self, name: str) -> "JsonFields":
        """A nested object."""
        return JsonFields(self._required(name), f'{self._what}: field "{name}"')

    def objects(self, name: str) -> tuple["JsonFields", ...]:
        """An array of nested objects."""
        return tuple(
            JsonFields(item, f'{self._what}: field "{name}[{index}]"')
            for index, item in enumerate(self._array(name))
        )

    def _required(self, name: str) -> object:
        if name not in self._fields:
            raise DecodeError(f'{self._what}: field "{name}" is missing')
        return self._fields[name]

    def _array(self, name: str) -> list[object]:
        value = self._required(name)
        if not isinstance(value, list):
            self._refuse(name, "an array", value)
        return value

    def _checked_integer(self, name: str, value: object, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._refuse(name, f"an integer from {low} to {high}", value)
        return value

    def _checked_hex(self, name: str, value: object, size: int | None) -> bytes:
        if (
            not isinstance(value, str)
            or not _HEX.fullmatch(value)
            or len(value) % 2
            or size not in (None, len(value) // 2)
        ):
            digits = "an even number of" if size is None else 2 * size
            self._refuse(name, f"{digits} hexadecimal digits", value)
        return bytes.fromhex(value)

    def _refuse(self, name: str, rule: str, value: object) -> NoReturn:
        raise DecodeError(f'{self._what}: field "{name}" must be {rule}, got {_described(value)}')


def _described(value: object) -> str:
    """The JSON type and value, cut short: it comes from outside and ends in logs."""
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case bool():
            return f"the boolean {str(value).lower()}"
        case str():
            return f"the string {_quoted(json.dumps(value))}"
        case _:
            return f"the number {_quoted(str(value))}"


def _quoted(text: str) -> str:
    return text if len(text) <= _QUOTED_LENGTH else text[:_QUOTED_LENGTH] + "…"


def _refuse_constant(name: str) -> Any:
    raise DecodeError(f"{name} is not a JSON value")
