"""A miner with two pools, all of them processes: one pool dies and comes back.

The chain is the same for both pools, as it would be: only then are announcements good for both.
"""

import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from command_line import COMMAND, PAYMENT_ADDRESS
from pool_processes import (
    LoggedProcess,
    PoolEntry,
    PoolProcesses,
    is_report,
    pool_entries,
    running_pools,
)


def _accepts(entry: PoolEntry) -> bool:
    return entry.accepted > 0 and entry.goodrate == "100%"


def _is_down(entry: PoolEntry) -> bool:
    return entry.accepted == 0 and entry.overflow > 0 and entry.goodrate == "0%"


def _any(_entry: PoolEntry) -> bool:
    return True


def _says(
    steady: Callable[[PoolEntry], bool], mortal: Callable[[PoolEntry], bool]
) -> Callable[[str], bool]:
    """Whether a line is a report in which both pools look as wanted."""

    def says(line: str) -> bool:
        if not is_report(line):
            return False
        first, second = pool_entries(line)
        return steady(first) and mortal(second)

    return says


def test_a_pool_that_dies_costs_the_other_nothing(tmp_path: Path) -> None:
    steady = PoolProcesses(tmp_path, "steady")
    mortal = PoolProcesses(tmp_path, "mortal")
    with (
        running_pools(steady, mortal),
        LoggedProcess(
            COMMAND,
            *("ann", "-p", PAYMENT_ADDRESS, "--device", "cpu"),
            *(steady.url, mortal.url),
        ) as miner,
    ):
        both_good = miner.wait_for(_says(steady=_accepts, mortal=_accepts))
        mortal.kill()
        # The line in which it died may still hold what it accepted before; the next one does not.
        down = miner.wait_for(_says(steady=_any, mortal=_is_down), after=both_good + 1)
        mortal.start()
        back = miner.wait_for(_says(steady=_accepts, mortal=_accepts), after=down + 1)
        assert miner.stop(signal.SIGINT) == 0
        reports = [pool_entries(line) for line in miner.lines[: back + 1] if is_report(line)]
        during = [
            pool_entries(line) for line in miner.lines[both_good : back + 1] if is_report(line)
        ]

    # A batch is sent when full or ten seconds old, so one report of ten seconds may see none.
    for (earlier, _), (later, _) in pairwise(during):
        assert earlier.accepted + later.accepted > 0
    for first, second in reports:
        assert first.overflow + first.rejected + first.overloaded == 0
        assert first.goodrate in ("100%", "-")
        assert second.accepted or second.goodrate != "100%"
    for line in [*miner.lines, *steady.log, *mortal.log]:
        assert "Traceback" not in line
