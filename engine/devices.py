"""Which devices exist, and which of them a user means."""

import logging
from collections.abc import Sequence
from functools import cache
from typing import Final

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind, numpy_device
from packetcrypt.engine.probe import ProbeReport, probe_opencl
from packetcrypt.protocol.errors import ConfigError

_log = logging.getLogger(__name__)

AUTO: Final = "auto"

#: PoCL's vectors beat the other CPU runtimes on these kernels (5.7 against 5.4 times the C
#: reference on Zen 5).
_BEST_CPU_PLATFORM: Final = "Portable Computing Language"


def discover_devices() -> tuple[DeviceInfo, ...]:
    """Every usable device: those of OpenCL in its order, then NumPy, which is always there.

    Blocks for a second or two when OpenCL must be probed (`probe`). What cannot be used is left out
    and logged as a warning with its remedy.
    """
    report = probe_opencl()
    _warn_of_unusable(report)
    return (*report.usable, numpy_device())


def select_devices(
    selectors: str | Sequence[str] = AUTO, devices: Sequence[DeviceInfo] | None = None
) -> tuple[DeviceInfo, ...]:
    """The devices that one or several selectors choose, each once, in the order of the selectors.

    selectors : "auto": every GPU, else the CPU's best OpenCL runtime, else NumPy, with a warning;
                "numpy"; "gpu": every GPU; "cpu": the CPU's best OpenCL runtime (two of them
                would only fight for the cores); an index "P:D"; or a part of a name, in any case of
                letters, which chooses every device whose name or platform contains it
    devices   : what to choose from; `discover_devices()` if None

    Raises `ConfigError`, listing what exists, if a selector chooses nothing.
    """
    wanted = [selectors] if isinstance(selectors, str) else list(selectors)
    if not wanted:
        raise ConfigError("no device is chosen: give at least one selector, e.g. auto")
    if devices is None:
        # NumPy alone needs no probe: it starts at once.
        numpy_alone = wanted == [DeviceKind.NUMPY]
        devices = (numpy_device(),) if numpy_alone else discover_devices()
    chosen: dict[DeviceInfo, None] = {}
    for selector in wanted:
        matches = _matches(selector.strip(), devices)
        if not matches:
            raise ConfigError(_nothing_chosen(selector, devices))
        chosen.update(dict.fromkeys(matches))
    return tuple(chosen)


def _matches(selector: str, devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    gpus = [device for device in devices if device.kind is DeviceKind.GPU]
    match selector.lower():
        case "":
            return []
        case "auto":
            return gpus or _best_cpu(devices) or _numpy_with_warning(devices)
        case "gpu":
            return gpus
        case "cpu":
            return _best_cpu(devices)
        case "numpy":
            return [device for device in devices if device.kind is DeviceKind.NUMPY]
        case text:
            by_index = [device for device in devices if device.index == text]
            return by_index or [
                device
                for device in devices
                if text in device.name.lower() or text in device.platform.lower()
            ]


def _best_cpu(devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    cpus = [device for device in devices if device.kind is DeviceKind.CPU]
    cpus.sort(key=lambda device: device.platform != _BEST_CPU_PLATFORM)
    return cpus[:1]


def _numpy_with_warning(devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    _log.warning(
        "No OpenCL device can be used: computing with NumPy, which is several times slower. "
        "packetcrypt devices --diagnose says what is missing; select the device numpy to "
        "avoid this warning."
    )
    return [device for device in devices if device.kind is DeviceKind.NUMPY]


def _nothing_chosen(selector: str, devices: Sequence[DeviceInfo]) -> str:
    listing = "\n".join(f"  {device}" for device in devices)
    return (
        f"{selector!r} chooses no device. Give auto, cpu, gpu, numpy, an index, or a part of a "
        f"name of what exists here:\n{listing}"
    )


@cache
def _warn_of_unusable(report: ProbeReport) -> None:
    """Say it once: a program may look for devices several times."""
    for info, problem in report.unusable:
        _log.warning("Device %s cannot be used: %s", info, problem)
    for problem in report.problems:
        _log.warning("OpenCL: %s", problem)
