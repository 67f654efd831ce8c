"""Whether somebody whom the program asks again and again answers, and since when not."""

import time
from collections.abc import Callable
from typing import Final

from packetcrypt.operations.health import Check, Grade

SLOW_SECONDS: Final = 10.0
"""an answer that takes longer is missed although it has not failed yet: whoever accepts a question
and never answers it would count as well until the question times out"""


class Contact:
    """Remembers answers and failures of one other service.

    whom     : in details, e.g. "the node"
    answered, failed : how often, since the start
    """

    def __init__(self, whom: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.answered = 0
        self.failed = 0
        self._whom = whom
        self._clock = clock
        self._began = clock()
        self._answered_at: float | None = None
        self._is_failing = False

    def note_answer(self) -> None:
        """It answered."""
        self.answered += 1
        self._answered_at = self._clock()
        self._is_failing = False

    def note_failure(self) -> None:
        """It did not answer, or not usefully."""
        self.failed += 1
        self._is_failing = True

    @property
    def silence(self) -> float:
        """Seconds since the last answer, or since the start if there was none."""
        return self._clock() - (self._began if self._answered_at is None else self._answered_at)

    @property
    def counts(self) -> dict[str, int]:
        """How many questions had which outcome."""
        return {"answered": self.answered, "failed": self.failed}

    def check(self, asked_every: float, without: Grade = Grade.TROUBLE) -> Check:
        """What is to be said about it.

        asked_every : seconds from one question to the next
        without     : how bad it is to be without it
        """
        silence = self.silence
        if self._answered_at is None:
            grade = Grade.NOT_YET if without is Grade.DOWN else without
            return Check(grade, f"{self._whom} has not answered yet, for {silence:.0f} s")
        if self._is_failing or silence > asked_every + SLOW_SECONDS:
            return Check(without, f"{self._whom} has not answered for {silence:.0f} s")
        return Check(Grade.GOOD, f"{self._whom} answered {silence:.0f} s ago")
