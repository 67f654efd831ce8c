#!/usr/bin/env python3
"""How much faster is one command than another, measured in turns in the same minutes?

Runs two commands alternately. Prints each round, both medians, and median and spread of the paired
ratios: on a noisy machine the ratio of neighbours in time means more than the ratio of the best.

    benchmarks/compare.py --rounds 7 --core 1 \\
        --ours "packetcrypt bench ann --work-bits 03000001 --seconds 5 --device cpu --json" \\
        --theirs "/path/to/reference search --work-bits 03000001 --seconds 5"

A command prints its figure as the last line of its output, a JSON object with a number under
--field. Of a miner that only writes log lines, and does not end, give a pattern with one group, and
how long it may run; its figure is the median of the later half of the matches:

        --theirs "miner --threads 1 http://pool.example" \\
        --theirs-pattern "([0-9.]+)Ke/s" --theirs-scale 1000 --theirs-seconds 60

--core pins both to one core. PoCL takes no notice of that: give it POCL_MAX_PTHREAD_COUNT=1.
"""

import argparse
import json
import os
import re
import shlex
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True)
class Contestant:
    """A command and where its figure is.

    field   : name in the JSON object of the last line; not looked at if there is a `pattern`
    pattern : its group is the figure; log lines may be on stdout or stderr
    scale   : what a figure found by `pattern` is multiplied with
    seconds : after this time the command is ended; None: it ends itself
    """

    name: str
    command: str
    field: str
    pattern: re.Pattern[str] | None
    scale: float
    seconds: float | None

    def measure(self, core: int | None) -> float:
        """Run it once, pinned to one core if asked for."""
        output = self._run(core)
        if self.pattern is not None:
            figures = [float(match) * self.scale for match in self.pattern.findall(output)]
            if not figures:
                self._fail(f"nothing in its output matches {self.pattern.pattern!r}", output)
            return statistics.median(figures[len(figures) // 2 :])
        try:
            return float(json.loads(output.strip().splitlines()[-1])[self.field])
        except (ValueError, LookupError, TypeError):
            self._fail(f"its last line is no JSON object with a number {self.field!r}", output)

    def _run(self, core: int | None) -> str:
        """Its output."""

        def pin() -> None:
            if core is not None:
                os.sched_setaffinity(0, {core})

        process = subprocess.Popen(
            shlex.split(self.command),
            preexec_fn=pin,
            start_new_session=True,  # so that what it starts can be ended with it
            stdout=subprocess.PIPE,
            # Log lines are often there; a JSON object has to be the last line of stdout.
            stderr=None if self.pattern is None else subprocess.STDOUT,
            text=True,
        )
        try:
            output, _ = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            try:
                output, _ = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
            return output
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if process.returncode != 0:
            self._fail(f"it ended with status {process.returncode}", output)
        return output

    def _fail(self, problem: str, output: str) -> NoReturn:
        last_lines = "\n".join(output.splitlines()[-5:])
        sys.exit(f"error: {self.name} ({self.command}): {problem}. It wrote:\n{last_lines}")


def main() -> None:
    arguments = _read_arguments()
    ours, theirs = (
        Contestant(
            side,
            getattr(arguments, side),
            arguments.field,
            getattr(arguments, f"{side}_pattern"),
            getattr(arguments, f"{side}_scale"),
            getattr(arguments, f"{side}_seconds"),
        )
        for side in ("ours", "theirs")
    )
    our_figures, their_figures = [], []
    for number in range(1, arguments.rounds + 1):
        our_figures.append(ours.measure(arguments.core))
        their_figures.append(theirs.measure(arguments.core))
        if not arguments.json:
            print(
                f"round {number}: ours {our_figures[-1]:,.0f}  theirs {their_figures[-1]:,.0f}  "
                f"ratio {our_figures[-1] / their_figures[-1]:.3f}",
                flush=True,
            )
    ratios = [a / b for a, b in zip(our_figures, their_figures, strict=True)]
    summary = {
        "ours": _spread(our_figures),
        "theirs": _spread(their_figures),
        "paired_ratio": _spread(ratios),
        "rounds": arguments.rounds,
    }
    print(json.dumps(summary) if arguments.json else _text(summary))


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--field", default="hashes_per_second", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--core", type=int, help="run both on this core alone")
    parser.add_argument("--json", action="store_true", help="print one object in the end")
    for side in ("ours", "theirs"):
        parser.add_argument(f"--{side}", required=True, metavar="COMMAND")
        parser.add_argument(
            f"--{side}-pattern", type=re.compile, metavar="REGEX", help="instead of --field"
        )
        parser.add_argument(
            f"--{side}-scale", type=float, default=1.0, metavar="X", help="of what the regex finds"
        )
        parser.add_argument(
            f"--{side}-seconds", type=float, metavar="S", help="end it after this time"
        )
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("give at least one round")
    return arguments


def _spread(figures: list[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {
        "median": statistics.median(figures),
        "lowest": min(figures),
        "highest": max(figures),
    }


def _text(summary: dict[str, dict[str, float]]) -> str:
    lines = [
        f"{name:>7}: median {side['median']:,.0f} ({side['lowest']:,.0f} to {side['highest']:,.0f})"
        for name, side in summary.items()
        if name in ("ours", "theirs")
    ]
    ratio = summary["paired_ratio"]
    lines.append(
        f"  ratio: median {ratio['median']:.3f} ({ratio['lowest']:.3f} to {ratio['highest']:.3f}) "
        f"in {summary['rounds']} rounds"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
