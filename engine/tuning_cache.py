"""Which tuning did `packetcrypt tune` find best for a device of this machine?

Kept in the user's cache folder. An entry holds for one device, one version of its driver, one
version of ours and one number of cores: with anything else it is as if there were none.
"""

import contextlib
import json
import logging
import os
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import platformdirs

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import ConfigError

_log = logging.getLogger(__name__)

#: What an entry holds for.
_KEYS: Final = ("platform", "device", "driver", "version", "cores")

_Entry = dict[str, Any]


def load(device: DeviceInfo, cores: int) -> Tuning | None:
    """The tuning found for `device` when it used `cores` cores; None if there is none."""
    wanted = _key(device, cores)
    for entry in _read():
        if _key_of(entry) == wanted:
            return _decode(entry)
    return None


def save(device: DeviceInfo, cores: int, tuning: Tuning) -> Path:
    """Keep a tuning in the place of an earlier one for the same; returns the file.

    Raises `ConfigError` where nothing can be written.
    """
    key = _key(device, cores)
    others = [entry for entry in _read() if _key_of(entry) != key]
    _write([*others, {**key, "tuning": asdict(tuning)}])
    return file()


def check_writable() -> None:
    """Raises `ConfigError` where `save` could not write."""
    _write(_read())


def forget(device: DeviceInfo) -> int:
    """Drop everything kept for `device`, with whatever driver and cores; how many entries.

    Raises `ConfigError` where nothing can be written.
    """
    entries = _read()
    others = [
        entry
        for entry in entries
        if (entry.get("platform"), entry.get("device")) != (device.platform, device.name)
    ]
    if len(others) < len(entries):
        _write(others)
    return len(entries) - len(others)


def file() -> Path:
    """Where tunings are kept."""
    return platformdirs.user_cache_path("packetcrypt") / "tuning.json"


def _key(device: DeviceInfo, cores: int) -> _Entry:
    values = (device.platform, device.name, device.driver, _our_version(), cores)
    return dict(zip(_KEYS, values, strict=True))


def _our_version() -> str:
    try:
        return version("packetcrypt-engine")
    except PackageNotFoundError:  # imported from where it lies
        return "unknown"


def _key_of(entry: _Entry) -> _Entry:
    return {name: entry.get(name) for name in _KEYS}


def _decode(entry: _Entry) -> Tuning | None:
    try:
        return Tuning(**entry["tuning"])
    except (KeyError, TypeError, ConfigError) as error:
        _log.warning("The tuning kept in %s is of no use (%s): tune again.", file(), error)
        return None


def _read() -> list[_Entry]:
    """All entries; none of a file that is not there or damaged."""
    try:
        kept = json.loads(file().read_text(encoding="utf-8"))
    except OSError:
        return []
    except ValueError as error:
        _log.warning("%s is damaged and not used (%s): tune again.", file(), error)
        return []
    if not isinstance(kept, list) or not all(isinstance(entry, dict) for entry in kept):
        _log.warning("%s is damaged and not used (it is no list): tune again.", file())
        return []
    return kept


def _write(entries: list[_Entry]) -> None:
    path = file()
    # Written aside and renamed: readers see the old file or the new one. Of two programs that tune
    # at once the later one's entries stay.
    aside = path.with_suffix(f".{os.getpid()}")
    try:
        if not path.is_absolute():
            raise OSError("this user has no home folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise ConfigError(
            f"the tuning cannot be kept in {path}: {error}. "
            "Make that folder writable, or set XDG_CACHE_HOME to one that is."
        ) from error
