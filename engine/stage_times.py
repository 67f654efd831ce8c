"""Where does a device's time go while it mines: tables, search, or finishing?"""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from packetcrypt.engine.job_runner import mine_job
from packetcrypt.engine.steady_run import jobs_of
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import AnnouncementKernels, StageSeconds
from packetcrypt.protocol.errors import ProgramError

#: New jobs are begun for so long. Random programs differ, and with them the time for tables.
_SECONDS: Final = 1.0
#: The most soft nonces that are searched of a job; for longer jobs the result is scaled.
_NONCES: Final = 1 << 14


def time_stages(
    open_profiled: Callable[[], AnnouncementKernels], work: AnnouncementWork
) -> StageSeconds | None:
    """Seconds that a device computes for one job of `work`, by stage; the mean of some jobs.

    open_profiled : opens its kernels so that they measure

    Jobs run one after another and by themselves. None if the kernels do not measure.
    """
    with closing(open_profiled()) as kernels:
        start = time.monotonic()
        tables = search = finishing = 0.0
        jobs = 0
        for job in jobs_of(work):
            total = job.soft_nonce_max + 1
            searched = min(total, _NONCES)
            try:
                mine_job(kernels, job, 0, searched - 1)
            except ProgramError:
                continue
            seconds = kernels.stage_seconds()
            if seconds is None:
                return None
            # The first job is a warm-up: runtimes load kernels at their first launch.
            jobs += 1
            if jobs > 1:
                tables += seconds.tables
                search += seconds.search * total / searched
                finishing += seconds.finishing * total / searched
                if time.monotonic() - start >= _SECONDS:
                    break
        measured = jobs - 1
        return StageSeconds(tables / measured, search / measured, finishing / measured)
