"""Which trouble is reported now, and which was reported less than a minute ago.

A pool that answers nonsense does so at every poll and every upload: hundreds of times a minute.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

INTERVAL = 60.0
"""Seconds from one report of a subject to the next."""


@dataclass
class _Subject:
    reported_at: float
    suppressed: int = 0


class Complaints:
    """Warnings by subject, each subject at most once in `INTERVAL`.

    A subject names where the trouble is, e.g. ("http://pool.example", "upload"), not what it is: a
    broken pool may complain in other words each time.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._subjects: dict[tuple[str, ...], _Subject] = {}

    def report(self, subject: tuple[str, ...], message: str) -> None:
        """Logs the message, on one line, unless this subject was reported within the interval."""
        now = self._clock()
        known = self._subjects.get(subject)
        if known is not None and now - known.reported_at < INTERVAL:
            known.suppressed += 1
            return
        line = " ".join(message.split())
        if known is not None and known.suppressed:
            line += f" ({known.suppressed} more like this since the last report)"
        self._log.warning("%s", line)
        self._subjects[subject] = _Subject(now)

    def resolve(self, subject: tuple[str, ...], message: str) -> None:
        """Logs that the trouble is over, if it was reported; it may be reported anew at once."""
        if self._subjects.pop(subject, None) is not None:
            self._log.info("%s", message)
