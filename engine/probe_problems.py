"""What a failed probe means, and what the user can do about it.

Each remedy stands for a failure that was provoked and observed (tests/engine/test_probe.py,
test_probe_problems.py).
"""

import os
import signal
import sys
from dataclasses import dataclass

_POCL_PLATFORM = "Portable Computing Language"
_LAST_LINES = 4


@dataclass(frozen=True)
class Problem:
    """Why a device or a platform cannot be used: what is wrong, and the remedy."""

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}. {self.remedy}"


NO_PLATFORM = Problem(
    "no OpenCL platform was found",
    "For a CPU, install PoCL: pip install 'packetcrypt-engine[pocl]'. "
    "For a GPU, install its vendor's driver with OpenCL; "
    "packetcrypt devices --diagnose shows where was searched.",
)


def explain_empty_platform(name: str) -> Problem:
    """A platform that lists no devices."""
    if name != _POCL_PLATFORM:
        return Problem(
            f"platform {name!r} offers no device",
            "Check that the device is there and that this user may open it "
            "(for GPUs: the groups render and video).",
        )
    # PoCL keeps compiled kernels in POCL_CACHE_DIR, else below XDG_CACHE_HOME, else below HOME, and
    # without a place for them it offers no device, silently.
    folder = next(
        (
            f"{name}={os.environ[name]}"
            for name in ("POCL_CACHE_DIR", "XDG_CACHE_HOME", "HOME")
            if name in os.environ
        ),
        "HOME, which is unset",
    )
    return Problem(
        f"PoCL offers no device, as it does when it cannot write its kernel cache (by {folder})",
        "Set POCL_CACHE_DIR to a folder that this user can write.",
    )


def explain_failure(error: str) -> Problem:
    """A device on which the trivial kernel failed with an error."""
    if "unknown target CPU" in error:
        return Problem(
            "its compiler is older than this processor, and compiles nothing for it",
            "Update the OpenCL runtime, or use the one that packetcrypt can tell what to compile "
            "for: pip install 'packetcrypt-engine[pocl]'. If this is it, see that the process may "
            "read /proc/self/mem.",
        )
    return Problem(
        f"a trivial kernel does not run on it: {error}",
        "Update or reinstall the device's OpenCL driver.",
    )


def explain_timeout(seconds: float) -> Problem:
    """A probe that had to be killed."""
    return Problem(
        f"compiling and running a trivial kernel took more than {seconds:.0f} s",
        "The driver hangs: restart the machine or update the driver.",
    )


def explain_no_child(error: OSError) -> Problem:
    """A probe that could not even be started."""
    return Problem(
        f"the process that tries OpenCL devices cannot be started ({error})",
        f"It is this interpreter, {sys.executable or 'whose path is unknown'}: "
        "see that it may start processes.",
    )


def explain_exit(status: int, stderr: str) -> Problem:
    """A probe that ended with `status` (negative: by that signal) before it had an answer."""
    if '"ld" doesn\'t exist' in stderr:
        return Problem(
            "PoCL links kernels with the linker ld, and there is none on the PATH",
            "Install it: apt install gcc binutils (or the like). PATH must hold its folder.",
        )
    if "ld: cannot find" in stderr:
        missing = next(line for line in stderr.splitlines() if "ld: cannot find" in line)
        return Problem(
            f"PoCL cannot link kernels because a library of gcc is missing ({missing.strip()})",
            "Install gcc and its libraries: apt install gcc binutils (or the like).",
        )
    ending = f"ended with status {status}"
    if status < 0:
        ending = f"crashed with {signal.Signals(-status).name}"
    said = " | ".join(stderr.strip().splitlines()[-_LAST_LINES:]) or "it said nothing"
    return Problem(
        f"the process that tried it {ending}: {said}",
        "Update or reinstall the device's OpenCL driver.",
    )
