"""What is known about a device that can compute."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from packetcrypt.kernels.host_cores import usable_cores


class DeviceKind(StrEnum):
    """What sort of device it is; also the selector that chooses it."""

    NUMPY = "numpy"
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class DeviceInfo:
    """One device, as discovered. Holds no resources.

    kind          : numpy, or the kind of OpenCL device (accelerators count as gpu)
    name          : the device's own name
    platform      : name of the OpenCL platform, or "NumPy"
    driver        : driver version (NumPy: its version)
    index         : "P:D", platform and device number as OpenCL counts them; "numpy" for NumPy
    compute_units : cores that may be used (CPU) or multiprocessors (GPU)
    memory        : bytes of global memory; 0 where the device has none of its own
    """

    kind: DeviceKind
    name: str
    platform: str
    driver: str
    index: str
    compute_units: int
    memory: int

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it the same device with the same driver: PoCL's memory, for one, varies."""
        return self.index, self.name, self.driver

    def __str__(self) -> str:
        return f"{self.index} {self.name} ({self.platform}, {self.driver})"


def numpy_device() -> DeviceInfo:
    """The device that always exists: NumPy on the processor's cores."""
    return DeviceInfo(
        kind=DeviceKind.NUMPY,
        name="NumPy",
        platform="NumPy",
        driver=np.__version__,
        index="numpy",
        compute_units=usable_cores(),
        memory=0,
    )
