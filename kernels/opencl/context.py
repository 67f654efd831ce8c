"""What a device is, and how kernels are built for it.

Kernel sources are package data beside this module. Everything that depends on the kind of device
is decided here once (`DeviceTraits`) and handed to the sources as preprocessor definitions.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from packetcrypt.kernels.opencl.cpu_features import cpu_defines
from packetcrypt.kernels.opencl.device_use import CountedKernel, DeviceUse
from packetcrypt.kernels.opencl.pocl_processor import name_processor
from packetcrypt.protocol.errors import DeviceError

KERNEL_FOLDER: Final = Path(__file__).parent

#: Lines of a compiler log that an error message repeats: the last ones name the cause.
_LOG_LINES: Final = 12

#: LANES of the vector sources. How many lanes a vector has, 8 or 16, depends on the compiler's
#: registers (lanes.cl).
_CPU_LANES: Final = 16

#: Intel's compiler is never silent; whoever wants to read it sets PYOPENCL_COMPILER_OUTPUT=1.
warnings.filterwarnings("ignore", "Non-empty compiler output", cl.CompilerWarning)

_INCLUDE: Final = re.compile(r'^#include "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class DeviceTraits:
    """The facts about a device on which kernels and launch sizes depend.

    name           : the device's own name
    driver         : platform, its version, the driver's version: the key for anything remembered
    is_cpu         : kernels run on CPU cores: few work-items, each with much cache of its own
    lanes          : LANES of the sources: 16 (vectors in one work-item) or 1 (a work-item a nonce)
    compute_units  : cores (CPU, as limited by the runtime) or multiprocessors (GPU)
    """

    name: str
    driver: str
    is_cpu: bool
    lanes: int
    compute_units: int

    @classmethod
    def of(cls, device: cl.Device, lanes: int | None = None) -> "DeviceTraits":
        """Ask `device`; `lanes` overrides the choice that follows from its type."""
        is_cpu = bool(device.type & cl.device_type.CPU)
        if lanes is None:
            lanes = _CPU_LANES if is_cpu else 1
        if lanes not in (1, _CPU_LANES):
            raise ValueError(f"lanes is {lanes}; the kernel sources exist for 1 and {_CPU_LANES}")
        platform = device.platform
        return cls(
            name=device.name.strip(),
            driver=f"{platform.name} {platform.version} {device.driver_version}",
            is_cpu=is_cpu,
            lanes=lanes,
            compute_units=int(device.max_compute_units),
        )


class DeviceContext:
    """One device with its context and its in-order queue. Driven by one thread.

    device  : the pyopencl device
    context : a context of that device alone
    queue   : an in-order command queue: what is enqueued first is finished first
    traits  : what the device is
    use     : what it was asked to do so far

    profile : note how long kernels take (`DeviceUse.take_profile`)
    """

    def __init__(
        self, device: cl.Device, *, lanes: int | None = None, profile: bool = False
    ) -> None:
        name_processor(device)
        self.device = device
        self.traits = DeviceTraits.of(device, lanes)
        self._cpu_defines = cpu_defines(device)
        self.use = DeviceUse(profiled=[] if profile else None)
        try:
            self.context = cl.Context([device])
            self.queue = (
                cl.CommandQueue(self.context, device, cl.command_queue_properties.PROFILING_ENABLE)
                if profile
                else cl.CommandQueue(self.context, device)
            )
        except cl.Error as error:
            raise DeviceError(
                f"device {self.traits.name!r} cannot be opened: {error}. "
                "Check its driver, or choose another device (packetcrypt devices lists them)."
            ) from error

    def build(self, kernel_file: str, **defines: int | str) -> cl.Program:
        """Compile `kernels/opencl/<kernel_file>` with LANES and `defines` as -D options.

        Binaries are cached by pyopencl and by the runtime, keyed on platform, device and driver.
        Raises `DeviceError` with the end of the build log.
        """
        return self.build_source(f'#include "{kernel_file}"\n', kernel_file, **defines)

    def build_source(self, source: str, name: str, **defines: int | str) -> cl.Program:
        """Compile `source`, which may #include the kernel files; `name` is what errors call it."""
        defines = {"LANES": self.traits.lanes, **self._cpu_defines, **defines}
        # -w: warnings are for whoever writes the kernels, not for who runs them.
        options = ["-w", *(f"-D{key}={value}" for key, value in defines.items())]
        try:
            program = cl.Program(self.context, expand_includes(source, name))
            program.build(options=options)
        except cl.Error as error:
            lines = [line for line in str(error).splitlines() if not line.startswith("(options:")]
            log = "\n".join(lines[-_LOG_LINES:]).strip()
            raise DeviceError(
                f"{name} does not compile for device {self.traits.name!r} "
                f"({self.traits.driver}). Update the device's OpenCL driver, or choose another "
                f"device with --device. The compiler said:\n{log}"
            ) from error
        return program

    def kernel(self, program: cl.Program, name: str) -> CountedKernel:
        """A kernel of a program that was built here; its launches are counted."""
        return CountedKernel(program, name, self.use)

    def copy_to_device(
        self, buffer: cl.Buffer, array: npt.NDArray[np.generic], offset: int = 0
    ) -> cl.Event:
        """Enqueue a copy of `array` to the buffer's byte `offset` on; returns at once.

        Dropping the event would wait for it.
        """
        self.use.copied(array.nbytes)
        return cl.enqueue_copy(self.queue, buffer, array, dst_offset=offset, is_blocking=False)

    def copy_to_host(
        self,
        array: npt.NDArray[np.generic],
        buffer: cl.Buffer,
        offset: int = 0,
        *,
        wait: bool = False,
    ) -> cl.Event:
        """Enqueue a copy of the buffer's bytes from `offset` on that fills `array`.

        Returns at once, or when it is done if `wait`. Dropping the event would wait for it.
        """
        self.use.copied(array.nbytes)
        return cl.enqueue_copy(self.queue, array, buffer, src_offset=offset, is_blocking=wait)

    @contextmanager
    def reporting(self, doing: str) -> Iterator[None]:
        """Turn the runtime's errors in the block into `DeviceError`: "… failed while <doing>"."""
        try:
            yield
        except cl.Error as error:
            raise DeviceError(
                f"device {self.traits.name!r} ({self.traits.driver}) failed while {doing}: "
                f"{error}. Close other programs that use its memory and try again; "
                "if it persists, update its driver or choose another device with --device."
            ) from error

    def close(self) -> None:
        """Wait for everything enqueued. The buffers go when nothing refers to them any more.

        Raises `DeviceError` if the device fails in the meantime.
        """
        with self.reporting("finishing its work"):
            self.queue.finish()


def expand_includes(source: str, name: str) -> str:
    """Put the kernel files in the place of their `#include "file"` lines, each file once.

    Not left to the compiler's -I: PoCL cannot take a folder with a space in its name, and NVIDIA's
    binary cache does not notice when an included file changes. `name` and #line directives keep the
    compiler's messages pointing at the files.
    """
    included: set[str] = set()

    def expand(text: str, name: str) -> str:
        def replacement(match: re.Match[str]) -> str:
            file = match[1]
            if file in included:
                return ""
            included.add(file)
            body = (KERNEL_FOLDER / file).read_text(encoding="utf-8")
            next_line = text.count("\n", 0, match.end()) + 2
            return f'{expand(body, file)}#line {next_line} "{name}"'

        return f'#line 1 "{name}"\n{_INCLUDE.sub(replacement, text)}'

    return expand(source, name)
