"""Whether an earlier process already found the OpenCL devices of this machine flawless.

The answer is kept with a fingerprint of everything cheap to look at that could change it: the
runtimes installed, the variables that steer them, the linker that PoCL needs. Only flawless reports
are kept, so repairing a machine takes effect at once.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import platformdirs

from packetcrypt.engine.device_info import DeviceInfo

#: Where Khronos' loader and ocl-icd look for drivers.
VENDORS_FOLDER: Final = Path("/etc/OpenCL/vendors")

#: Variables that steer the loader, PoCL and where PoCL may write.
_VARIABLE_PREFIXES: Final = ("POCL_", "OCL_", "OPENCL_", "PYOPENCL_", "LD_")
_VARIABLES: Final = ("HOME", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class KeptAnswer:
    """What an earlier process found.

    identities : `DeviceInfo.identity` of every device, all usable, in OpenCL's order
    loader     : path of the OpenCL loader library, where known
    """

    identities: tuple[tuple[str, ...], ...]
    loader: str | None


def load() -> KeptAnswer | None:
    """The kept answer, if its fingerprint is today's."""
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
        if kept["fingerprint"] != _fingerprint():
            return None
        return KeptAnswer(tuple(tuple(identity) for identity in kept["devices"]), kept["loader"])
    except (OSError, ValueError, TypeError, KeyError):  # none there, or a damaged one
        return None


def save(devices: Sequence[DeviceInfo], loader: str | None) -> None:
    """Keep the answer. Where nothing can be written the next process probes again."""
    kept = {
        "fingerprint": _fingerprint(),
        "devices": [device.identity for device in devices],
        "loader": loader,
    }
    file = _file()
    if not file.is_absolute():  # a user without a home; "~" would become a folder right here
        return
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed: two programs may start at once.
        aside = file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(kept), encoding="utf-8")
        aside.replace(file)


def steering_variables() -> dict[str, str]:
    """The environment variables that decide what OpenCL finds."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(_VARIABLE_PREFIXES) or name in _VARIABLES
    }


def vendor_files() -> list[Path]:
    """The .icd files that name the system's OpenCL drivers."""
    return sorted(VENDORS_FOLDER.glob("*.icd"))


def _file() -> Path:
    return platformdirs.user_cache_path("packetcrypt") / "opencl_probe.json"


def _fingerprint() -> str:
    facts = [
        sys.executable,
        os.uname().release,  # a GPU's driver is a module of the kernel
        *(
            _version(package)
            for package in ("packetcrypt-engine", "pyopencl", "pocl-binary-distribution")
        ),
        *(f"{name}={value}" for name, value in steering_variables().items()),
        *(f for path in vendor_files() for f in _file_facts(path)),
        *(f for tool in ("ld", "gcc") for f in _file_facts(shutil.which(tool))),
    ]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} absent"


def _file_facts(path: str | Path | None) -> Iterator[str]:
    yield str(path)
    if path is not None:
        with contextlib.suppress(OSError):
            yield str(Path(path).stat().st_mtime_ns)
