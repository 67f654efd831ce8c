"""Which OpenCL devices this process sees, without judging whether they work.

Loading an OpenCL runtime can abort a process, so everything here is first called in the probe's
child process (`probe_child`); the engine's own process calls it for devices that survived there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.protocol.errors import ConfigError, DeviceError

if TYPE_CHECKING:  # pyopencl itself is imported late: with it come the runtimes
    import pyopencl as cl


@dataclass(frozen=True)
class OpenCLListing:
    """What the OpenCL loader offers.

    devices         : every device of every platform, numbered as OpenCL lists them
    empty_platforms : names of the platforms that offer no device
    """

    devices: "tuple[tuple[DeviceInfo, cl.Device], ...]"
    empty_platforms: tuple[str, ...]


def list_opencl() -> OpenCLListing:
    """Ask the OpenCL loader. Raises `DeviceError` if pyopencl cannot be imported."""
    try:
        import pyopencl as cl
    except ImportError as error:
        raise DeviceError(
            f"pyopencl cannot be imported: {error}. "
            "Reinstall it: pip install --force-reinstall pyopencl"
        ) from error
    try:
        platforms = cl.get_platforms()
    except cl.Error:  # so the loader says "no platform"
        platforms = []
    devices: list[tuple[DeviceInfo, cl.Device]] = []
    empty: list[str] = []
    for p, platform in enumerate(platforms):
        try:
            of_platform = platform.get_devices()
        except cl.Error:  # so some platforms say "no device"; others give an empty list
            of_platform = []
        if not of_platform:
            empty.append(platform.name.strip())
        for d, device in enumerate(of_platform):
            devices.append((_describe(device, f"{p}:{d}"), device))
    return OpenCLListing(tuple(devices), tuple(empty))


def opencl_device(info: DeviceInfo) -> "cl.Device":
    """The OpenCL device that `info` describes, found by its index.

    Raises `DeviceError` if another one, or another driver, is there now.
    """
    for found, device in list_opencl().devices:
        if found.identity == info.identity:
            return device
    raise DeviceError(
        f"device {info} is no longer there. Start the program again; "
        "packetcrypt devices lists what exists now."
    )


def limit_cores(device: "cl.Device", cores: int) -> "cl.Device":
    """`device`, or a part of it with that many compute units if it has more.

    A sub-device is the OpenCL way to it: it works at any time and for every CPU runtime, where
    PoCL's POCL_MAX_PTHREAD_COUNT is read once a process.
    """
    import pyopencl as cl

    if cores >= device.max_compute_units:
        return device
    try:
        return device.create_sub_devices(
            [cl.device_partition_property.BY_COUNTS, cores]  # type: ignore[list-item]
        )[0]
    except cl.Error as error:
        raise ConfigError(
            f"device {device.name.strip()!r} cannot be limited to {cores} of its "
            f"{device.max_compute_units} compute units: {error}. Leave the number of threads out."
        ) from error


def _describe(device: "cl.Device", index: str) -> DeviceInfo:
    import pyopencl as cl

    is_cpu = bool(device.type & cl.device_type.CPU)
    return DeviceInfo(
        kind=DeviceKind.CPU if is_cpu else DeviceKind.GPU,
        name=device.name.strip(),
        platform=device.platform.name.strip(),
        driver=device.driver_version.strip(),
        index=index,
        compute_units=int(device.max_compute_units),
        memory=int(device.global_mem_size),
    )
