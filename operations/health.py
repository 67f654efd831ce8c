"""Whether a program can do its job now, and what is wrong if not: what `GET /health` says.

Checks are made of what the program remembers, so that asking costs nothing and waits for nobody.
Their details are fixed words and numbers: no text of an error, which may name folders of this
machine or an address with a password in it. The log has those.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from importlib.metadata import version
from typing import Any, Final

VERSION: Final = version("packetcrypt-engine")


class Grade(IntEnum):
    """How well one thing is, from good to bad."""

    GOOD = 0
    TROUBLE = 1
    """should be seen to, but the program does its job"""
    NOT_YET = 2
    """the program begins, and cannot do its job until this has come"""
    DOWN = 3
    """the program cannot do its job"""


class Status(StrEnum):
    """What a program is as a whole."""

    OK = "ok"
    STARTING = "starting"
    DEGRADED = "degraded"


@dataclass(frozen=True)
class Check:
    """What one thing is like; `detail` is a sentence without a name, a path or a secret."""

    grade: Grade
    detail: str

    @classmethod
    def of(cls, is_good: bool, detail: str, otherwise: Grade = Grade.TROUBLE) -> "Check":
        """Good, or else of another grade."""
        return cls(Grade.GOOD if is_good else otherwise, detail)


Checks = Mapping[str, Check]
"""by what is checked, e.g. "node\""""


@dataclass(frozen=True)
class HealthReport:
    """All checks at one moment; `uptime` in seconds."""

    service: str
    name: str
    uptime: float
    checks: Checks

    @property
    def status(self) -> Status:
        """The worst check decides."""
        worst = self._worst
        if worst is Grade.GOOD:
            return Status.OK
        return Status.STARTING if worst is Grade.NOT_YET else Status.DEGRADED

    @property
    def can_work(self) -> bool:
        """Whether the program can do its job now."""
        return self._worst <= Grade.TROUBLE

    def encode(self) -> bytes:
        """The JSON text."""
        return json.dumps(self._as_json()).encode()

    @property
    def _worst(self) -> Grade:
        return max((check.grade for check in self.checks.values()), default=Grade.GOOD)

    def _as_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "name": self.name,
            "status": self.status,
            "version": VERSION,
            "uptime": round(self.uptime, 1),
            "checks": {
                name: {"ok": check.grade is Grade.GOOD, "detail": check.detail}
                for name, check in self.checks.items()
            },
        }


class Health:
    """Makes the reports of one program.

    service : what the program is, as its command is called: "master", "ah"…
    name    : which of several, e.g. "ah0"; "" if there is only one
    checks  : looked up for every report; must neither block nor raise
    """

    def __init__(
        self,
        service: str,
        name: str,
        checks: Callable[[], Checks],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service = service
        self._name = name
        self._checks = checks
        self._clock = clock
        self._began = clock()

    def report(self) -> HealthReport:
        """What is so now."""
        uptime = self._clock() - self._began
        return HealthReport(self.service, self._name, uptime, self._checks())
