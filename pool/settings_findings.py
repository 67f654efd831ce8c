"""What a check of a pool's settings finds: how bad, where, which rule, what to do."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"
    """the pool cannot work like this, or not safely"""
    WARNING = "warning"
    """it can, if it is meant"""


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    where  : file and line, or the flag, variable, or service
    rule   : what should be otherwise, and why
    remedy : what to do; "" if the rule says it, as those of the services themselves do
    """

    severity: Severity
    where: str
    rule: str
    remedy: str = ""

    def __str__(self) -> str:
        parts = (self.severity.value, self.where, self.rule, self.remedy)
        return " ".join(": ".join(part for part in parts if part).split())
