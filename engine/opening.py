"""How a discovered device becomes kernels that compute."""

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opencl_devices import limit_cores, opencl_device
from packetcrypt.kernels.host_cores import usable_cores
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.errors import ConfigError


def open_kernels(device: DeviceInfo, threads: int | None = None) -> AnnouncementKernels:
    """Open `device`; the kernels belong to the calling thread.

    threads : CPU cores to use, on NumPy and on OpenCL CPU devices; None for all that this process
              may use. A CPU device uses at most the cores that it has. GPUs don't look at it.

    Raises `DeviceError` if the device is gone or does not open.
    """
    check_threads(threads)
    # The backends are imported late: whoever mines with one does not need the other to be installed
    # well.
    if device.kind is DeviceKind.NUMPY:
        from packetcrypt.kernels.numpy.backend import NumpyKernels

        return NumpyKernels(threads)
    from packetcrypt.kernels.opencl.backend import OpenCLKernels

    opened = opencl_device(device)
    if device.kind is DeviceKind.CPU:
        # PoCL does not look at the process's CPU affinity, so this must.
        opened = limit_cores(opened, threads or usable_cores())
    return OpenCLKernels(opened)


def check_threads(threads: int | None) -> None:
    """Refuse an impossible number of threads with `ConfigError`."""
    if threads is not None and threads < 1:
        raise ConfigError(f"{threads} threads cannot compute: give 1 or more, or leave it out")
