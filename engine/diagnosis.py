"""Why does OpenCL find what it finds here: facts for a person who misses a device."""

import shutil
from dataclasses import asdict, dataclass
from typing import Any

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.probe import run_probe
from packetcrypt.engine.probe_cache import VENDORS_FOLDER, steering_variables, vendor_files
from packetcrypt.engine.probe_problems import Problem

_TOOLS = ("ld", "gcc", "clinfo")


@dataclass(frozen=True)
class Diagnosis:
    """What was looked at, and what came out.

    usable, unusable, problems : as in `ProbeReport`, from a fresh probe
    told         : likewise; index of a device → processor
    loader       : path of the OpenCL loader library that pyopencl uses
    vendor_files : .icd file of the system → the driver library that it names
    variables    : environment variables that steer OpenCL and PoCL
    tools        : program → its path, or None if there is none on the PATH
    """

    usable: tuple[DeviceInfo, ...]
    unusable: tuple[tuple[DeviceInfo, Problem], ...]
    problems: tuple[Problem, ...]
    told: dict[str, str]
    loader: str | None
    vendor_files: dict[str, str]
    variables: dict[str, str]
    tools: dict[str, str | None]

    def as_json(self) -> dict[str, Any]:
        """The same as plain dictionaries and lists."""
        return {
            **asdict(self),
            "usable": [asdict(info) for info in self.usable],
            "unusable": [
                {"device": asdict(info), **asdict(problem)} for info, problem in self.unusable
            ],
            "problems": [asdict(problem) for problem in self.problems],
        }

    def as_text(self) -> str:
        """The same for reading, several lines."""
        return "\n".join(
            [
                *_section("Usable devices", [str(info) for info in self.usable]),
                *_section(
                    "Devices that failed", [f"{info}: {problem}" for info, problem in self.unusable]
                ),
                *_section("Problems", [str(problem) for problem in self.problems]),
                *self._processor_note(),
                *_section("OpenCL loader", [self.loader or "none was loaded"]),
                *self._bundled_loader_note(),
                *_section(
                    f"Drivers named in {VENDORS_FOLDER}",
                    [f"{file}: {library}" for file, library in self.vendor_files.items()],
                ),
                *_section("Environment", [f"{k}={v}" for k, v in self.variables.items()]),
                *_section("Tools", [f"{k}: {v or 'not found'}" for k, v in self.tools.items()]),
            ]
        )

    def _processor_note(self) -> list[str]:
        return [
            f"Device {index}: its compiler is older than this processor. "
            f"Kernels are compiled as for {processor}."
            for index, processor in self.told.items()
        ]

    def _bundled_loader_note(self) -> list[str]:
        if self.loader is None or "pyopencl" not in self.loader:
            return []
        return [
            "  This loader came inside pyopencl's wheel. It may miss drivers that clinfo shows,",
            "  which uses the system's loader. If so, set OCL_ICD_VENDORS to the folder with their",
            "  .icd files, or build pyopencl against the system's loader:",
            "  pip install --no-binary pyopencl pyopencl",
        ]


def diagnose() -> Diagnosis:
    """Probe afresh and collect the facts. Takes a few seconds; never raises for a broken OpenCL."""
    report = run_probe()
    return Diagnosis(
        usable=report.usable,
        unusable=report.unusable,
        problems=report.problems,
        told=dict(report.told),
        loader=report.loader,
        vendor_files={
            str(file): file.read_text(encoding="utf-8", errors="replace").strip()
            for file in vendor_files()
        },
        variables=steering_variables(),
        tools={tool: shutil.which(tool) for tool in _TOOLS},
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines or ["none"])]
