"""How figures, times and names are written on the pool's pages.

`pages/page.js` repeats `ago`, so that ages count on while nobody asks the server.
"""

import unicodedata
from datetime import UTC, datetime
from typing import Final

from packetcrypt.protocol.address import check_payto
from packetcrypt.protocol.errors import DecodeError

_PREFIXES: Final = ("", "K", "M", "G", "T", "P", "E")
_THIN_SPACE: Final = "\u202f"
_NAME_LENGTH: Final = 80
"""characters of a name that is no address; ours have 63, a foreign paymaker may tell any"""

#: Controls, invisible and direction marks, lone surrogates, private use, line and paragraph ends.
_INVISIBLE: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def prefix_of(value: float) -> tuple[float, str]:
    """The power of 1000 that a value is best written with, and its letter."""
    power, number = 1.0, 0
    while value / power >= 999.5 and number < len(_PREFIXES) - 1:
        power, number = power * 1000, number + 1
    return power, _PREFIXES[number]


def significant(value: float) -> str:
    """Three digits that say something: 28.6, 467, 1.20, 0.042; large ones whole."""
    if value == 0:
        return "0"
    if value >= 99.95:
        return whole(round(value))
    if value >= 9.995:
        return f"{value:.1f}"
    if value >= 0.995:
        return f"{value:.2f}"
    return f"{value:.2g}" if value >= 0.0001 else "< 0.0001"


def whole(number: int) -> str:
    """A count, in groups of three digits."""
    return f"{number:,}".replace(",", _THIN_SPACE)


def with_unit(value: float, unit: str) -> tuple[str, str]:
    """A rate, and its unit with the fitting prefix: (28.6, "Mb/s")."""
    power, letter = prefix_of(value)
    return significant(value / power), letter + unit


def percent(fraction: float) -> str:
    """A part of a whole, 0.375 as "37.5 %"."""
    value = 100 * fraction
    if value == 0 or value >= 0.005:
        return f"{value:.2f}".rstrip("0").rstrip(".") + f"{_THIN_SPACE}%"
    return f"< 0.01{_THIN_SPACE}%"


def duration(seconds: float) -> str:
    """A length of time in the two units that matter: "34 s", "12 min", "3 h 5 min", "2 d 4 h"."""
    rest = max(0, int(seconds))
    if rest < _MINUTE:
        return f"{rest} s"
    if rest < _HOUR:
        return f"{rest // _MINUTE} min"
    if rest < 2 * _DAY:
        return _two(rest // _HOUR, "h", rest % _HOUR // _MINUTE, "min")
    return _two(rest // _DAY, "d", rest % _DAY // _HOUR, "h")


def ago(milliseconds: int) -> str:
    """How long something is ago; clocks that differ a little make nothing lie in the future."""
    return "just now" if milliseconds < 2000 else f"{duration(milliseconds / 1000)} ago"


def clock(time: int) -> str:
    """A time of the day, UTC; time in milliseconds since 1970."""
    return _utc(time).strftime("%H:%M")


def stamp(time: int) -> str:
    """A whole time as people read it."""
    return _utc(time).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(time: int) -> str:
    """A whole time as programs read it."""
    return _utc(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def visible(name: str) -> str:
    """A name with everything in it to be seen: marks that turn text round are written as codes."""
    shown = "".join(
        f"\\u{ord(letter):04x}" if unicodedata.category(letter) in _INVISIBLE else letter
        for letter in name[: _NAME_LENGTH + 1]
    )
    return shown if len(shown) <= _NAME_LENGTH else shown[:_NAME_LENGTH] + "…"


def is_payto(name: str) -> bool:
    """Whether handlers would take a name, so that it may have a page of its own."""
    try:
        check_payto(name)
    except DecodeError:
        return False
    return True


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def _utc(time: int) -> datetime:
    """The latest time that there is stands for later ones, which only a broken peer tells."""
    return datetime.fromtimestamp(min(time, 253_402_300_799_000) / 1000, UTC)
