"""Which OpenCL devices can be used without risk to this process.

Some runtimes end the whole process when something they need is missing (PoCL without a linker), so
each device compiles and runs a trivial kernel in a child process first (`probe_child`). A child
that dies of one device is started again for the others.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from packetcrypt.engine import probe_cache
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opencl_devices import list_opencl
from packetcrypt.engine.probe_problems import (
    NO_PLATFORM,
    Problem,
    explain_empty_platform,
    explain_exit,
    explain_failure,
    explain_no_child,
    explain_timeout,
)
from packetcrypt.protocol.errors import DeviceError

_log = logging.getLogger(__name__)

#: A driver that compiles from scratch on a slow, busy machine needs several seconds a device.
TIMEOUT_S: Final = 60.0


@dataclass(frozen=True)
class ProbeReport:
    """What the probe found.

    usable   : devices that ran a kernel correctly
    unusable : devices that did not, with the reason
    problems : what is wrong with whole platforms, or with OpenCL altogether
    loader   : path of the OpenCL loader library, where known
    told     : (index of a device, processor that its compiler was told to compile for because it
               does not know the one at hand; kernels/opencl/pocl_processor.py), of a fresh probe
    """

    usable: tuple[DeviceInfo, ...]
    unusable: tuple[tuple[DeviceInfo, Problem], ...]
    problems: tuple[Problem, ...]
    loader: str | None
    told: tuple[tuple[str, str], ...] = ()

    @property
    def flawless(self) -> bool:
        """Whether there are devices and nothing is wrong with any of them."""
        return bool(self.usable) and not self.unusable and not self.problems


@cache
def probe_opencl() -> ProbeReport:
    """The report for this process: probed once, or remembered from an earlier process.

    A probe takes 1–2 s because the kernel must be compiled and linked anew. So a flawless report is
    kept on disk until anything that it depends on changes, and is believed only if the same devices
    with the same drivers are still there.
    """
    report = _remembered()
    if report is None:
        report = run_probe()
        if report.flawless:
            probe_cache.save(report.usable, report.loader)
    return report


def _remembered() -> ProbeReport | None:
    """What an earlier process found, if it still holds."""
    kept = probe_cache.load()
    if kept is None:
        return None
    try:
        present = tuple(info for info, _ in list_opencl().devices)
    except DeviceError:  # the probe will say it better
        return None
    if tuple(info.identity for info in present) != kept.identities:
        return None
    return ProbeReport(present, (), (), kept.loader)


def run_probe(timeout: float = TIMEOUT_S) -> ProbeReport:
    """Probe every device now, in child processes; each child may take `timeout` seconds."""
    tally = _Tally()
    while _run_child(tally, timeout):
        pass
    unusable = tuple(
        (info, tally.problems[index])
        for index, info in tally.devices.items()
        if index in tally.problems
    )
    usable = tuple(info for index, info in tally.devices.items() if index in tally.passed)
    general = list(tally.general)
    if not tally.devices and not general:
        general.append(NO_PLATFORM)
    return ProbeReport(usable, unusable, tuple(general), tally.loader, tuple(tally.told.items()))


@dataclass
class _Tally:
    """What the children have told so far."""

    devices: dict[str, DeviceInfo] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    problems: dict[str, Problem] = field(default_factory=dict)
    general: list[Problem] = field(default_factory=list)
    loader: str | None = None
    told: dict[str, str] = field(default_factory=dict)
    testing: str | None = None

    @property
    def settled(self) -> set[str]:
        return self.passed | self.problems.keys()

    def hear(self, message: dict[str, Any]) -> None:
        """Take one line of the child into account."""
        match message:
            case {"device": fields}:
                info = _decode_device(fields)
                self.devices[info.index] = info
            case {"empty": name}:
                problem = explain_empty_platform(name)
                if problem not in self.general:
                    self.general.append(problem)
            case {"loader": path}:
                self.loader = path
            case {"testing": index}:
                self.testing = index
            case {"told": index, "processor": name}:
                self.told[index] = name
            case {"passed": index}:
                self.passed.add(index)
                self.testing = None
            case {"failed": index, "error": error}:
                self.problems[index] = explain_failure(error)
                self.testing = None
            case {"unusable": error}:
                self.general.append(Problem("OpenCL cannot be used", error))


def _run_child(tally: _Tally, timeout: float) -> bool:
    """Let one child test what is not settled yet; true if another one must go on after it."""
    command = [sys.executable, "-P", "-m", "packetcrypt.engine.probe_child", *sorted(tally.settled)]
    tally.testing = None
    try:
        child = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
        stdout = child.stdout
        status, stderr = child.returncode, child.stderr.decode(errors="replace")
        problem = explain_exit(status, stderr) if status != 0 else None
    except subprocess.TimeoutExpired as expired:
        stdout, problem = expired.stdout or b"", explain_timeout(timeout)
    except OSError as error:
        stdout, problem = b"", explain_no_child(error)
    for message in _messages(stdout):
        tally.hear(message)
    if problem is None:
        return False
    if tally.testing is None:  # it died before, or after, testing devices
        tally.general.append(problem)
        return False
    tally.problems[tally.testing] = problem
    return tally.settled != tally.devices.keys()


def _messages(stdout: bytes) -> Iterator[dict[str, Any]]:
    """The child's lines; runtimes print lines of their own between them, which are passed over."""
    for line in stdout.decode(errors="replace").splitlines():
        try:
            message = json.loads(line)
        except json.JSONDecodeError:
            _log.debug("OpenCL runtime says: %s", line)
            continue
        if isinstance(message, dict):
            yield message


def _decode_device(fields: dict[str, Any]) -> DeviceInfo:
    return replace(DeviceInfo(**fields), kind=DeviceKind(fields["kind"]))
