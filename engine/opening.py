"""How a discovered device becomes kernels that compute."""

import logging
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from packetcrypt.engine import tuning_cache
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opencl_devices import limit_cores, opencl_device
from packetcrypt.kernels.block_interface import BlockKernels
from packetcrypt.kernels.host_cores import usable_cores
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import ConfigError

_log = logging.getLogger(__name__)

BlockOpener = Callable[[DeviceInfo, npt.NDArray[np.uint8], int | None], BlockKernels]
"""what opens a device for mining blocks, as `open_block_kernels` does"""


def open_kernels(
    device: DeviceInfo,
    threads: int | None = None,
    tuning: Tuning | None = None,
    *,
    profile: bool = False,
) -> AnnouncementKernels:
    """Open `device`; the kernels belong to the calling thread.

    threads : CPU cores to use, on NumPy and on OpenCL CPU devices; None for all that this process
              may use. A CPU device uses at most the cores that it has. GPUs don't look at it.
    tuning  : None for what `packetcrypt tune` has found, or else the default
    profile : let `stage_seconds` measure; this may cost some speed

    Raises `DeviceError` if the device is gone or does not open.
    """
    check_threads(threads)
    tuning = tuning or tuning_of(device, threads)
    # The backends are imported late: whoever mines with one does not need the other to be installed
    # well.
    if device.kind is DeviceKind.NUMPY:
        from packetcrypt.kernels.numpy.backend import NumpyKernels
        from packetcrypt.kernels.numpy.process_backend import NumpyProcessKernels

        if tuning.work_items > 1:
            return NumpyProcessKernels(tuning)
        return NumpyKernels(tuning=tuning)
    from packetcrypt.kernels.opencl.backend import OpenCLKernels

    opened = opencl_device(device)
    if device.kind is DeviceKind.CPU:
        # PoCL does not look at the process's CPU affinity, so this must.
        opened = limit_cores(opened, cores_used(device, threads))
    return OpenCLKernels(opened, tuning, profile=profile)


def open_block_kernels(
    device: DeviceInfo, store: npt.NDArray[np.uint8], threads: int | None = None
) -> BlockKernels:
    """Open `device` for mining blocks with the announcements in `store`, (capacity, 1024) uint8.

    store   : made by `allocate_store`, so that CPU devices can read it in place
    threads : as in `open_kernels`

    Raises `DeviceError` if the device is gone or does not open.
    """
    check_threads(threads)
    if device.kind is DeviceKind.NUMPY:
        from packetcrypt.kernels.numpy.block_backend import NumpyBlockKernels

        return NumpyBlockKernels(store, threads)
    from packetcrypt.kernels.opencl.block_backend import OpenCLBlockKernels

    opened = opencl_device(device)
    if device.kind is DeviceKind.CPU:
        opened = limit_cores(opened, cores_used(device, threads))
    return OpenCLBlockKernels(opened, store)


def tuning_of(device: DeviceInfo, threads: int | None = None) -> Tuning:
    """What `device` is opened with: what `packetcrypt tune` found, or else the default."""
    tuned = tuning_cache.load(device, cores_used(device, threads))
    if tuned is not None:
        _log.debug("Device %s is tuned: %s", device, tuned)
    return tuned or default_tuning(device, threads)


def default_tuning(device: DeviceInfo, threads: int | None = None) -> Tuning:
    """What suits a device of this kind."""
    cores = cores_used(device, threads)
    match device.kind:
        case DeviceKind.CPU:
            return Tuning.for_opencl_cpu(cores)
        case DeviceKind.GPU:
            return Tuning.for_gpu(cores)
        case DeviceKind.NUMPY:
            return Tuning.for_numpy(cores)


def cores_used(device: DeviceInfo, threads: int | None = None) -> int:
    """How many cores (of a GPU, multiprocessors) compute when `device` is opened."""
    match device.kind:
        case DeviceKind.CPU:
            return min(device.compute_units, threads or usable_cores())
        case DeviceKind.GPU:
            return device.compute_units
        case DeviceKind.NUMPY:
            return threads or usable_cores()


def check_threads(threads: int | None) -> None:
    """Refuse an impossible number of threads with `ConfigError`."""
    if threads is not None and threads < 1:
        raise ConfigError(f"{threads} threads cannot compute: give 1 or more, or leave it out")
