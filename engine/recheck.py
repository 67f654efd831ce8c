"""Does the plain implementation agree with what a device found?

A device may go wrong after its self-test. So the host re-checks a sample with
`protocol.validation`, which shares no code with the kernels. One check costs 25–50 ms of plain
Python: the budget bounds it to 1 % of one core.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.validation import AnnouncementCheck, check_announcement

_log = logging.getLogger(__name__)

#: Share of the time that re-checking may take.
BUDGET: Final = 0.01


class RecheckBudget:
    """When the next re-check is affordable: spent time stays below a share of the time passed."""

    def __init__(self, share: float = BUDGET, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._start = clock()
        self._spent = 0.0

    def affordable(self) -> bool:
        """Whether all checks so far have been paid for."""
        return self._spent <= self._share * (self._clock() - self._start)

    def spend(self, seconds: float) -> None:
        """A check took this long."""
        self._spent += seconds


@dataclass(frozen=True)
class Sample:
    """One announcement to re-check.

    announcement : 1024 bytes
    key          : the dedup key that the device gave it
    work         : what it was mined for
    verdict      : called from the re-checking thread with what is wrong, or None
    """

    announcement: bytes
    key: int
    work: AnnouncementWork
    verdict: Callable[[str | None], None]


class Rechecker:
    """A thread that re-checks samples one after another.

    Its queue needs no bound of its own: a device waits for the verdict on one sample before it may
    submit the next.
    """

    def __init__(self) -> None:
        self.budget = RecheckBudget()
        self._samples: queue.SimpleQueue[Sample | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="packetcrypt re-check", daemon=True)
        self._thread.start()

    def submit(self, sample: Sample) -> None:
        """Have a sample checked; its verdict comes by callback."""
        self._samples.put(sample)

    def close(self, timeout: float) -> None:
        """Finish what was submitted and end the thread. Idempotent."""
        self._samples.put(None)
        if self._thread is not threading.current_thread():  # it found a forgotten engine
            self._thread.join(timeout)

    def _run(self) -> None:
        while (sample := self._samples.get()) is not None:
            started = time.thread_time()
            try:
                problem = disagreement(sample)
            except Exception as error:  # the thread's outermost edge: others wait for its verdicts
                _log.exception("An announcement could not be re-checked")
                problem = f"the host cannot check one of its announcements ({error})"
            self.budget.spend(time.thread_time() - started)
            sample.verdict(problem)


def disagreement(sample: Sample) -> str | None:
    """What the plain implementation has against a sample, or None."""
    header = AnnouncementHeader.decode(sample.announcement)
    if header.with_soft_nonce(0) != sample.work.job(header.hard_nonce).header:
        return "it gave one of its announcements another header than its job has"
    checked = check_announcement(sample.announcement, sample.work.parent_hash)
    if checked.result is not AnnouncementCheck.OK:
        return f"the host finds one of its announcements {checked.result.name}"
    key = dedup_key(sample.announcement)
    if key != sample.key:
        return f"it gave an announcement the dedup key {sample.key:#018x} instead of {key:#018x}"
    return None
